"""The same user goes to the same target, so that the provider's prompt cache stays warm.

    [routes.chat]
    targets = ["openai/gpt-6-luna", "openrouter/openai/gpt-6-luna", "groq/openai/gpt-oss-120b"]
    policy = "sticky:route"
    options = { by = ["user", "key"] }

`by` says who counts as the same: the first of these that the request has. Without any, the configured order holds.
Every target gets an even share of users (rendezvous hashing: the target whose hash with the user's name is highest).
One that is not available is passed over for the user's second choice, and its users come back when it does; a target
that is added to the route takes only its own share from each of the others.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from clawgw.policy import Plan, RequestFacts, TargetView, in_turn


def route(request: RequestFacts, targets: Sequence[TargetView], options: Mapping[str, Any]) -> Plan:
    """The targets in this user's own order, those available first."""
    names = [(by, getattr(request, by)) for by in options.get("by", ["user", "key"])]
    known = next(((by, name) for by, name in names if name), None)
    if known is None:
        return in_turn(sorted(targets, key=_unavailable), "nobody to stick to")
    by, name = known
    order = sorted(targets, key=lambda view: _rank(name, view), reverse=True)
    return in_turn(sorted(order, key=_unavailable), f"always the same for this {by}")


def _rank(name: str, view: TargetView) -> bytes:
    return blake2b(f"{view.target}\n{name}".encode(), digest_size=8).digest()


def _unavailable(view: TargetView) -> bool:
    return not view.available
