"""What each team may use, all its keys together; a key's label says which team it is.

    [policies]
    quota = ["team_quota:quota"]
    [policies.options.teams]
    search = { requests_per_minute = 600, tokens_per_minute = 500000 }
    ads = { tokens_per_minute = 100000, budget_usd = 200, per = "month" }
    others = { requests_per_minute = 60, budget_usd = 5 }

The sizes are those of a `Charge`. A team that is not listed has a bucket of its own, as large as `others` says; without
`others` it has none, and so has a key without the label `team`. `[limits.labels]` does the same with a table for every
team: this file is for sizes that are reckoned, here by falling back.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from clawgw.policy import Charge, RequestFacts


def quota(request: RequestFacts, options: Mapping[str, Any]) -> Sequence[Charge]:
    """The team's bucket, if its keys have any."""
    team = request.labels.get("team")
    sizes = options["teams"].get(team, options["teams"].get("others"))
    return [] if team is None or sizes is None else [Charge(f"team:{team}", **sizes)]
