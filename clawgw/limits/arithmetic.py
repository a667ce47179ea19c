"""The arithmetic of limits: whole numbers only, and no clock; `now_ms` (since the epoch, UTC) is handed in.

What is used of a bucket is its state, not what is left: so another limit needs no conversion. With limits up to
`MAX_LIMIT` no sum here reaches 2⁵³, so that a double holds it exactly, as Lua needs. Products of a limit and a time
may, and are then rounded; but what they are subtracted from is smaller, and the difference is 0.

Every request passes through here several times: so a gauge knows its bucket's numbers, and serves the bucket again and
again, set to one level after the other.
"""

from typing import Protocol

from clawgw.limits.bucket import NANO_DOLLARS, Kind, Standing

MAX_LIMIT: dict[Kind, int] = {
    "requests": 10**10,
    "tokens": 10**10,
    "concurrent": 10**6,
    "usd": 4_000_000 * NANO_DOLLARS,
}
SET_BACK_MS = 60_000
"""A clock that is behind by more has been set back and is believed; by less, it is as if no time had passed."""

Level = tuple[int, int]
"""`used` and `at_ms` of a `Gauge`."""
UNUSED: Level = 0, 0


class Gauge(Protocol):
    """What is used of a bucket, and for which time that is true.

    `used`: parts of a request or token, nano-dollars, or the places that are held.
    `at_ms`: of a budget when its window began, of places when the newest lease did, where that is known.
    Amounts are in whole requests, tokens, nano-dollars or places.
    """

    used: int
    at_ms: int

    def advance(self, now_ms: int) -> None:
        """Bring it to `now_ms`; where the clock is a little behind, the time it has been brought to already stays."""

    def standing(self, now_ms: int, asked: int = 0) -> Standing:
        """How the bucket stands for one who asks for so much of it. More than the limit is never there."""


class Account(Gauge, Protocol):
    """What can be charged, once it was brought to the present.

    `unused_from_ms`: from when on it will be as if the bucket had never been used; true once it was charged.
    """

    unused_from_ms: int

    def take(self, now_ms: int, amount: int) -> Standing | None:
        """Charge so much, and say how the bucket stands after that; None: so much is not there."""

    def settle(self, amount: int, used: int, taken_at_ms: int) -> None:
        """`used` turned out to be what `amount` was taken for, when `at_ms` was that."""
