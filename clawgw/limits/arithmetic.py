"""The arithmetic of limits: whole numbers only, and no clock; `now_ms` (since the epoch, UTC) is handed in.

What is used of a bucket is its state, not what is left: so another limit needs no conversion. Of a token bucket it is
counted in 1/60000 of a request or token: then `limit` a minute drains exactly `limit` of these units a millisecond, and
nothing is ever rounded. It may be up to twice what the bucket holds, which is a debt of one whole limit.

With limits up to `MAX_LIMIT` no sum here reaches 2⁵³, so that a double holds it exactly, as Lua needs. Products of a
limit and a time may, and are then rounded; but what they are subtracted from is smaller, and the difference is 0.

Every request passes through here several times: so a gauge knows its bucket's numbers, and serves the bucket again and
again, set to one level after the other.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from attrs import define, field

from clawgw.limits.bucket import NANO_DOLLARS, Bucket, Kind, Spent, Standing, Window
from clawgw.limits.store import LEASE_MS

MAX_LIMIT: dict[Kind, int] = {
    "requests": 10**10,
    "tokens": 10**10,
    "concurrent": 10**6,
    "usd": 4_000_000 * NANO_DOLLARS,
}
PARTS = 60_000
"""Into how many parts a request or token is divided."""
SET_BACK_MS = 60_000
"""A clock that is behind by more has been set back and is believed; by less, it is as if no time had passed."""
PLACE_WAIT_MS = 1_000
"""Nobody knows when a place becomes free; this is a guess to answer with."""
LEASE_TICKS = 8
LEASE_TICK_MS = LEASE_MS // LEASE_TICKS
"""Leases end on whole ticks, so that all that were taken in one tick can be counted together."""
GAUGES_KEPT = 10_000
"""A quota policy may name any number of buckets."""

_LENGTHS_MS: dict[Window, int] = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
_DAY_MS = _LENGTHS_MS["day"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Level = tuple[int, int]
"""`used` and `at_ms` of a `Gauge`."""
UNUSED: Level = 0, 0


class Gauge(Protocol):
    """What is used of a bucket, and for which time that is true.

    `used`: parts of a request or token, nano-dollars, or the places that are held.
    `at_ms`: of a budget when its window began, of places 0.
    Amounts are in whole requests, tokens, nano-dollars or places.
    """

    used: int
    at_ms: int

    def advance(self, now_ms: int) -> None:
        """Bring it to `now_ms`; where the clock is a little behind, the time it has been brought to already stays."""

    def wait_ms(self, now_ms: int, amount: int) -> int:
        """How long until `amount` could be taken; 0: now. More than the limit is never there."""

    def standing(self, now_ms: int, asked: int = 0) -> Standing:
        """How the bucket stands for one who asks for so much of it."""


class Account(Gauge, Protocol):
    """What is taken stays taken, though it may be corrected."""

    def take(self, amount: int) -> None:
        """Charge so much."""

    def settle(self, amount: int, used: int, reserved_at_ms: int) -> None:
        """`used` turned out to be what `amount` was taken for, when `at_ms` was that."""

    def unused_from_ms(self) -> int:
        """From when on it will be as if the bucket had never been used."""


@define(eq=False)
class TokenBucket:
    """Of requests or tokens per minute: what is used drains.

    After a clock was set back nobody knows how much is used: nothing, lest it refuse until that time comes once more.
    """

    bucket: Bucket
    used: int = 0
    at_ms: int = 0
    _limit: int = field(init=False)
    _full: int = field(init=False)
    _most: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Have the bucket's numbers at hand."""
        self._limit = self.bucket.limit
        self._full = self._limit * PARTS
        self._most = 2 * self._full

    def advance(self, now_ms: int) -> None:
        """As `Gauge.advance`."""
        passed_ms = now_ms - self.at_ms
        if passed_ms < -SET_BACK_MS:
            self.used, self.at_ms = 0, now_ms
            return
        self.used = min(self.used, self._most)
        if passed_ms > 0:
            self.used, self.at_ms = max(0, self.used - passed_ms * self._limit), now_ms

    def take(self, amount: int) -> None:
        """As `Account.take`."""
        self.used += amount * PARTS

    def settle(self, amount: int, used: int, _reserved_at_ms: int) -> None:
        """As `Account.settle`; the debt is never more than the limit."""
        self.used = min(max(0, self.used + (used - amount) * PARTS), self._most)

    def wait_ms(self, now_ms: int, amount: int) -> int:
        """As `Gauge.wait_ms`."""
        missing = self.used + amount * PARTS - self._full
        return self.at_ms - -missing // (self._limit or 1) - now_ms if missing > 0 else 0

    def unused_from_ms(self) -> int:
        """As `Account.unused_from_ms`."""
        return self.at_ms - -self.used // (self._limit or 1) if self.used else 0

    def standing(self, now_ms: int, asked: int = 0) -> Standing:
        """As `Gauge.standing`."""
        reset_ms = self.at_ms - -self.used // (self._limit or 1) - now_ms if self.used else 0
        left = self._full - self.used
        if left >= asked * PARTS:
            return Standing(self.bucket, left // PARTS, reset_ms)
        return Standing(self.bucket, max(0, left // PARTS), reset_ms, self.wait_ms(now_ms, asked))


@define(eq=False)
class Spending:
    """Of a budget, in a window of the calendar. Of one that is over nothing is charged or given back any more."""

    bucket: Bucket
    used: int = 0
    at_ms: int = 0
    _window: tuple[int, int] = field(default=(0, 0), init=False)
    """The one that was asked about last."""

    def advance(self, now_ms: int) -> None:
        """As `Gauge.advance`."""
        start_ms, _ = self._window_of(self.at_ms if 0 < self.at_ms - now_ms <= SET_BACK_MS else now_ms)
        if start_ms != self.at_ms:
            self.used, self.at_ms = 0, start_ms

    def take(self, amount: int) -> None:
        """As `Account.take`."""
        self.used += amount

    def seed(self, spent: Spent) -> None:
        """At least so much was spent, if in this window: whoever has counted more knows better."""
        if self.at_ms == spent.since_ms:
            self.used = max(self.used, min(spent.amount, MAX_LIMIT["usd"]))

    def settle(self, amount: int, used: int, reserved_at_ms: int) -> None:
        """As `Account.settle`."""
        if self.at_ms == reserved_at_ms:
            self.used = min(max(0, self.used + used - amount), MAX_LIMIT["usd"])

    def wait_ms(self, now_ms: int, amount: int) -> int:
        """As `Gauge.wait_ms`."""
        return self.unused_from_ms() - now_ms if self.used + amount > self.bucket.limit else 0

    def unused_from_ms(self) -> int:
        """As `Account.unused_from_ms`."""
        return self._window_of(self.at_ms)[1]

    def standing(self, now_ms: int, asked: int = 0) -> Standing:
        """As `Gauge.standing`."""
        remaining = max(0, self.bucket.limit - self.used)
        return Standing(self.bucket, remaining, self.unused_from_ms() - now_ms, self.wait_ms(now_ms, asked))

    def _window_of(self, moment_ms: int) -> tuple[int, int]:
        start_ms, end_ms = self._window
        if not start_ms <= moment_ms < end_ms:
            self._window = window(self.bucket.per, moment_ms)
        return self._window


@define(eq=False)
class Places:
    """For requests at once. Only a store knows of their leases: here time changes nothing."""

    bucket: Bucket
    used: int = 0
    at_ms: int = 0

    def advance(self, now_ms: int) -> None:
        """As `Gauge.advance`."""

    def wait_ms(self, _now_ms: int, amount: int) -> int:
        """As `Gauge.wait_ms`."""
        return PLACE_WAIT_MS if self.used + amount > self.bucket.limit else 0

    def standing(self, now_ms: int, asked: int = 0) -> Standing:
        """As `Gauge.standing`."""
        return Standing(self.bucket, max(0, self.bucket.limit - self.used), 0, self.wait_ms(now_ms, asked))


_GAUGES: Mapping[Kind, Callable[[Bucket], Gauge]] = {
    "requests": TokenBucket,
    "tokens": TokenBucket,
    "concurrent": Places,
    "usd": Spending,
}


@lru_cache(GAUGES_KEPT)
def gauge_of(bucket: Bucket) -> Gauge:
    """That of a bucket, at any level."""
    return _GAUGES[bucket.kind](bucket)


def standing(bucket: Bucket, level: Level, now_ms: int, asked: int = 0) -> Standing:
    """How a bucket stands that had a level some time ago, for one who asks for so much of it."""
    at_level = gauge_of(bucket)
    at_level.used, at_level.at_ms = level
    at_level.advance(now_ms)
    return at_level.standing(now_ms, asked)


def lease_ends_ms(now_ms: int) -> int:
    """When a lease that is taken or renewed now ends: `LEASE_MS` from the beginning of the tick."""
    return (now_ms // LEASE_TICK_MS + LEASE_TICKS) * LEASE_TICK_MS


def window(per: Window, now_ms: int) -> tuple[int, int]:
    """The beginning and end, in ms, of the calendar window (UTC) that `now_ms` is in."""
    if per == "month":
        first, following = _month(now_ms // _DAY_MS)
        return first * _DAY_MS, following * _DAY_MS
    start_ms = now_ms - now_ms % _LENGTHS_MS[per]
    return start_ms, start_ms + _LENGTHS_MS[per]


def _month(day: int) -> tuple[int, int]:
    """The first day of a day's month and of the next one, in days since the epoch."""
    first = (_EPOCH + timedelta(days=day)).replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return (first - _EPOCH).days, (following - _EPOCH).days
