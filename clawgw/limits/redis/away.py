"""Stores that answer while the shared one is away: everything, nothing, or this gateway's share of each limit."""

from collections.abc import Callable, Sequence
from typing import Literal

import trio
from attrs import evolve, frozen

from clawgw.limits.arithmetic import UNUSED
from clawgw.limits.bucket import Bucket, Claims, Granted, Refused, Spent, Standing, Verdict, Wanted
from clawgw.limits.gauges import standing
from clawgw.limits.store import LimitStore

WhenDown = Literal["local", "open", "closed"]

CLOSED_WAIT_MS = 1_000
"""How often Redis is tried, so when it is worth coming back."""


def while_away(when_down: WhenDown, local: LimitStore, gateways: Callable[[], int]) -> LimitStore:
    """As `[limits].when_down` says. `gateways`: how many there are."""
    match when_down:
        case "local":
            return Share(local, gateways)
        case "open":
            return Always(_everything)
        case "closed":
            return Always(_nothing)


@frozen
class Always:
    """One answer for everything, and nothing is kept."""

    decide: Callable[[Claims], Verdict]

    @property
    def degraded(self) -> None:
        """This is all that it should do."""

    async def reserve(self, wanted: Sequence[Wanted], _expires_ms: int) -> Sequence[Verdict]:
        """As always."""
        verdicts = [self.decide(claims) for _, claims in wanted]
        return verdicts if isinstance(verdicts[0], Granted) else verdicts[:1]

    def settle(self, reservation: str, used: Sequence[int]) -> None:
        """Nothing was reserved."""

    def flush(self) -> None:
        """Nothing waits."""

    def peek(self, bucket: Bucket) -> Standing | None:
        """Nothing is known."""

    def seed(self, bucket: Bucket, spent: Spent) -> None:
        """Nothing is kept."""

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """There are no leases."""
        task_status.started()
        await trio.sleep_forever()


@frozen
class Share:
    """Each limit divided by the number of gateways; the standings name the whole bucket."""

    local: LimitStore
    gateways: Callable[[], int]

    @property
    def degraded(self) -> str | None:
        """As the local store is."""
        return self.local.degraded

    async def reserve(self, wanted: Sequence[Wanted], expires_ms: int) -> Sequence[Verdict]:
        """As the local store decides."""
        shares = [Wanted(reservation, self._share(claims)) for reservation, claims in wanted]
        verdicts = await self.local.reserve(shares, expires_ms)
        return [_of_whole(verdict, claims.buckets) for verdict, (_, claims) in zip(verdicts, wanted, strict=False)]

    def settle(self, reservation: str, used: Sequence[int]) -> None:
        """As the local store does."""
        self.local.settle(reservation, used)

    def flush(self) -> None:
        """The local store's."""
        self.local.flush()

    def peek(self, bucket: Bucket) -> Standing | None:
        """This gateway's share."""
        standing = self.local.peek(self._of(bucket))
        return None if standing is None else evolve(standing, bucket=bucket)

    def seed(self, bucket: Bucket, spent: Spent) -> None:
        """What this gateway has spent itself, of its share."""
        self.local.seed(self._of(bucket), spent)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """The local store's."""
        await self.local.run(task_status)

    def _of(self, bucket: Bucket) -> Bucket:
        return evolve(bucket, limit=max(min(1, bucket.limit), bucket.limit // self.gateways()))

    def _share(self, claims: Claims) -> Claims:
        buckets = tuple([self._of(bucket) for bucket in claims.buckets])
        return Claims(
            buckets, [min(amount, max(1, bucket.limit)) for bucket, amount in zip(buckets, claims.amounts, strict=True)]
        )


def _of_whole(verdict: Verdict, buckets: Sequence[Bucket]) -> Verdict:
    pairs = zip(verdict.standings, buckets, strict=True)
    return evolve(verdict, standings=tuple(evolve(standing, bucket=bucket) for standing, bucket in pairs))


def _everything(claims: Claims) -> Verdict:
    """As if every bucket were full."""
    return Granted(tuple(standing(bucket, UNUSED, 0) for bucket in claims.buckets))


def _nothing(claims: Claims) -> Verdict:
    """As if every bucket were empty."""
    return Refused(tuple(Standing(bucket, 0, CLOSED_WAIT_MS, CLOSED_WAIT_MS) for bucket in claims.buckets))
