"""Cheap targets first, under a ceiling; better ones where the request asks for them or the cheap ones have failed.

    [routes.assistant]
    targets = ["groq/openai/gpt-oss-120b", "openai/gpt-6-luna", "anthropic/claude-sonnet-5-5"]
    policy = "cost_aware:route"
    options = { ceiling_usd = 0.01 }

The ceiling is for one request, its answer included. Under it the cheapest target comes first; a request that offers
tools, or says `"metadata": {"quality": "high"}`, begins with the dearest of those instead. What costs more, or has no
price, is kept for the case that everything under the ceiling has failed: being slow is no reason to pay more.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from clawgw.policy import OnFailure, Plan, PlannedAttempt, RequestFacts, TargetView


def route(request: RequestFacts, targets: Sequence[TargetView], options: Mapping[str, Any]) -> Plan:
    """The targets under `ceiling_usd` by price, then the others, each of those only after a failure."""
    ceiling = options["ceiling_usd"]
    wants_quality = request.tools > 0 or request.metadata.get("quality") == "high"

    def cost(view: TargetView) -> float:
        known = view.cost_usd(request)
        return math.inf if known is None else known

    affordable = [view for view in targets if cost(view) <= ceiling]
    dear = [view for view in targets if cost(view) > ceiling]
    affordable.sort(key=lambda view: (not view.available, -cost(view) if wants_quality else cost(view)))
    dear.sort(key=lambda view: (not view.available, cost(view)))

    attempts = [PlannedAttempt(view.target, OnFailure()) for view in affordable]
    attempts += [PlannedAttempt(view.target, OnFailure(math.inf)) for view in dear]
    wish = "the best" if wants_quality else "the cheapest"
    return Plan(attempts, f"{wish} of {len(affordable)} under ${ceiling:g}, then {len(dear)} dearer")
