"""What a store of limits does, in this process, over the workers of one machine, or over machines."""

from collections.abc import Sequence
from typing import Protocol

import trio

from clawgw.limits.bucket import Bucket, Spent, Standing, Verdict, Wanted

RENEW_MS = 10_000
"""How often leases are renewed."""


class LimitStore(Protocol):
    """Every claim of one reservation is checked, then every one is taken; a refusal takes nothing.

    A reservation is settled once. One that never is stays charged, its places free themselves, and it is forgotten
    after `expires_ms`. Nothing here raises, and nothing here waits for long: a store that is away has its own answer.
    """

    @property
    def degraded(self) -> str | None:
        """Why limits are not kept where they should be, in one word; None: they are."""

    async def reserve(self, wanted: Sequence[Wanted], expires_ms: int) -> Sequence[Verdict]:
        """Decide about one reservation after the other, in one step, up to the first that is refused.

        What was granted before that one stays taken. All claims are of different buckets.
        """

    def settle(self, reservation: str, used: Sequence[int]) -> None:
        """What was really used, for each claim in order: charged or given back. Places are free, whatever is said.

        Of an unknown, expired or settled reservation nothing is charged and nothing given back. A bucket in debt
        refuses until it has recovered; its debt is never more than its limit. A budget is charged in the window of
        the reservation.
        """

    def flush(self) -> None:
        """What was settled by now is told at once to whoever keeps it; without that, soon."""

    def peek(self, bucket: Bucket) -> Standing | None:
        """The bucket as far as it is known without asking anybody; None: not known."""

    def seed(self, bucket: Bucket, spent: Spent) -> None:
        """No less of a budget is used than its ledger says, or all ledgers that have said so together.

        Nothing, where more is known already or where another window is present. May be said again at any time.
        """

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Renew the leases of what is not settled, until cancelled. Ready when it is known whether it is degraded."""
