"""The arithmetic of limits: whole numbers only, and no clock; `now_ms` (since the epoch, UTC) is handed in.

What is used of a bucket is its state, not what is left: so another limit needs no conversion. Of a token bucket it is
counted in 1/60000 of a request or token: then `limit` a minute drains exactly `limit` of these units a millisecond, and
nothing is ever rounded. It may be up to twice what the bucket holds, which is a debt of one whole limit.

With limits up to `MAX_LIMIT` no sum here reaches 2⁵³, so that a double holds it exactly, as Lua needs. Products of a
limit and a time may, and are then rounded; but what they are subtracted from is smaller, and the difference is 0.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from clawgw.limits.bucket import NANO_DOLLARS, Bucket, Kind, Spent, Standing, Window
from clawgw.limits.store import LEASE_MS

MAX_LIMIT: dict[Kind, int] = {
    "requests": 10**10,
    "tokens": 10**10,
    "concurrent": 10**6,
    "usd": 4_000_000 * NANO_DOLLARS,
}
UNITS: dict[Kind, int] = {"requests": 60_000, "tokens": 60_000, "concurrent": 1, "usd": 1}
"""Into how many parts one request, token, place or nano-dollar is divided."""
SET_BACK_MS = 60_000
"""A clock that is behind by more has been set back and is believed; by less, it is as if no time had passed."""
PLACE_WAIT_MS = 1_000
"""Nobody knows when a place becomes free; this is a guess to answer with."""
LEASE_TICKS = 8
LEASE_TICK_MS = LEASE_MS // LEASE_TICKS
"""Leases end on whole ticks, so that all that were taken in one tick can be counted together."""

_LENGTHS_MS: dict[Window, int] = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
_DAY_MS = _LENGTHS_MS["day"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Level(NamedTuple):
    """What is used of a bucket.

    `used`: parts as in `UNITS`; of `concurrent`, the places that are held.
    `at_ms`: the time for which that is true; of a budget, when its window began.
    """

    used: int
    at_ms: int


UNUSED = Level(0, 0)


def level_at(bucket: Bucket, level: Level, now_ms: int) -> Level:
    """The level at `now_ms`; where the clock is a little behind, at the time it has been brought to already.

    After a clock was set back nobody knows how much of a token bucket is used: it is taken to be unused, lest it refuse
    until that time comes once more. That of places stays as it is: only a store knows of their leases.
    """
    kind = bucket.kind
    if kind == "concurrent":
        return level
    used, at_ms = level
    moment_ms = at_ms if 0 < at_ms - now_ms <= SET_BACK_MS else now_ms
    if kind == "usd":
        start_ms, _ = window(bucket.per, moment_ms)
        return level if start_ms == at_ms else Level(0, start_ms)
    if at_ms - now_ms > SET_BACK_MS:
        return Level(0, now_ms)
    if used:
        used = min(used, 2 * bucket.limit * UNITS[kind])
        used = max(0, used - max(0, moment_ms - at_ms) * bucket.limit)
    return Level(used, moment_ms)


def take(bucket: Bucket, level: Level, amount: int) -> Level:
    """The level after `amount` was taken."""
    return Level(level.used + amount * UNITS[bucket.kind], level.at_ms)


def settle(bucket: Bucket, level: Level, amount: int, used: int, reserved_at_ms: int) -> Level:
    """The level after `used` turned out to be what `amount` was reserved for; not for places, which just become free.

    `reserved_at_ms`: the level's `at_ms` of then. A budget whose window of then is over stays as it is.
    """
    if bucket.kind == "usd" and level.at_ms != reserved_at_ms:
        return level
    most = MAX_LIMIT["usd"] if bucket.kind == "usd" else 2 * bucket.limit * UNITS[bucket.kind]
    return Level(min(max(0, level.used + (used - amount) * UNITS[bucket.kind]), most), level.at_ms)


def seed(level: Level, spent: Spent) -> Level:
    """A budget's level with at least what was spent in its window: whoever has counted more knows better."""
    if level.at_ms != spent.since_ms:
        return level
    return Level(max(level.used, min(spent.amount, MAX_LIMIT["usd"])), level.at_ms)


def wait_ms(bucket: Bucket, level: Level, now_ms: int, amount: int) -> int:
    """How long until `amount` could be taken from the present level; 0: now. More than the limit is never there."""
    missing = level.used + (amount - bucket.limit) * UNITS[bucket.kind]
    if missing <= 0:
        return 0
    return PLACE_WAIT_MS if bucket.kind == "concurrent" else _ends_ms(bucket, level, missing) - now_ms


def reset_ms(bucket: Bucket, level: Level, now_ms: int) -> int:
    """As `Standing.reset_ms`, of the present level."""
    if bucket.kind == "concurrent" or (bucket.kind != "usd" and not level.used):
        return 0
    return _ends_ms(bucket, level, level.used) - now_ms


def standing(bucket: Bucket, level: Level, now_ms: int, asked: int = 0) -> Standing:
    """How a bucket stands at its present level, for one who asks for so much of it."""
    remaining = bucket.limit - -(-level.used // UNITS[bucket.kind])
    wait = wait_ms(bucket, level, now_ms, asked)
    return Standing(bucket, max(0, remaining), reset_ms(bucket, level, now_ms), wait)


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


@lru_cache(maxsize=8)
def _month(day: int) -> tuple[int, int]:
    """The first day of a day's month and of the next one, in days since the epoch."""
    first = (_EPOCH + timedelta(days=day)).replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return (first - _EPOCH).days, (following - _EPOCH).days


def _ends_ms(bucket: Bucket, level: Level, parts: int) -> int:
    """When so many parts will have drained; of a budget, when its window ends."""
    if bucket.kind == "usd":
        return window(bucket.per, level.at_ms)[1]
    return level.at_ms - -parts // (bucket.limit or 1)
