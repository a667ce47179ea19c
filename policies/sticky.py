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
    for by in options.get("by", ["user", "key"]):
        name = getattr(request, by)
        if name:
            order = sorted(targets, key=lambda view: (view.available, _rank(name, view)), reverse=True)
            return in_turn(order, f"always the same for this {by}")
    return in_turn(sorted(targets, key=lambda view: not view.available), "nobody to stick to")


def _rank(name: str, view: TargetView) -> bytes:
    return blake2b(f"{view.target}\n{name}".encode(), digest_size=8).digest()
