"""A share of the traffic tries a new target; whatever happens there, the others stand behind it.

    [routes.chat]
    targets = ["openai/gpt-6-luna", "groq/openai/gpt-oss-120b", "anthropic/claude-haiku-5-5"]
    policy = "canary:route"
    options = { canary = "anthropic/claude-haiku-5-5", share = 0.05 }

A request's dice are made from its id, so a record shows why it went where it went. A canary that is not available gets
nothing. The rest of the traffic never sees the canary, unless the route has no other target.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from clawgw.policy import Plan, RequestFacts, TargetView, in_turn


def route(request: RequestFacts, targets: Sequence[TargetView], options: Mapping[str, Any]) -> Plan:
    """The canary and then the others for `share` of the requests, only the others for the rest."""
    share, name = options["share"], options["canary"]
    canary = targets[[str(view.target) for view in targets].index(name)]
    others = sorted((view for view in targets if view is not canary), key=lambda view: not view.available)
    if request.random < share and canary.available:
        return in_turn([canary, *others], f"{name} first, as for {share:.0%}")
    return in_turn(others or [canary], f"without {name}, as for {1 - share:.0%}")
