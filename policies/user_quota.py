"""What each end user of an application may use: requests per minute, and a budget for every day.

    [policies]
    quota = ["user_quota:quota"]
    options = { requests_per_user = 20, usd_per_user = 0.5 }

The user is the request's `user`, else `user_id` of its `metadata`. The same name is the same user, whichever key the
request comes with. Requests that name nobody share one bucket, so that nobody gets more by not being named.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from clawgw.policy import Charge, RequestFacts


def quota(request: RequestFacts, options: Mapping[str, Any]) -> Sequence[Charge]:
    """The user's bucket."""
    user = request.user or request.metadata.get("user_id") or ""
    return [
        Charge(
            f"user:{user}",
            requests_per_minute=options["requests_per_user"],
            budget_usd=options["usd_per_user"],
            per="day",
        )
    ]
