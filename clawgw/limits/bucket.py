"""The words of limits, all of them data: a bucket is a rule, claims want something of some, a verdict answers.

Amounts are whole numbers: requests, tokens, places (`concurrent`), and for money nano-dollars (10⁻⁹ USD).
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from attrs import field, frozen

from clawgw.fact import fact

Scope = Literal["key", "label", "route", "provider", "provider_key", "quota"]
Kind = Literal["requests", "tokens", "concurrent", "usd"]
Window = Literal["minute", "hour", "day", "month"]

NANO_DOLLARS = 1_000_000_000


@frozen(cache_hash=True)
class Bucket:
    """One limit. Two of one `identity` are the same bucket: its state survives another limit.

    - `requests`, `tokens`: a token bucket that holds `limit` and is filled with `limit` a minute.
    - `concurrent`: `limit` places; one is held for as long as its lease is renewed.
    - `usd`: `limit` nano-dollars in each calendar `per`, UTC.
    """

    scope: Scope
    name: str = field(repr=False)
    """Which key, label, route or provider; for a quota whatever its policy says, even of a client's making."""
    kind: Kind
    limit: int
    per: Window = "minute"

    @property
    def identity(self) -> tuple[str, ...]:
        """All but the limit."""
        return self.scope, self.name, self.kind, self.per


@frozen
class Spent:
    """What the records of one log come to for a budget, in the window that began at `since_ms`.

    `ledger` tells that log from others.
    """

    amount: int
    since_ms: int
    ledger: str = ""


class Claims(NamedTuple):
    """So much is wanted of each of these buckets: at most its limit, and 1 of one that never holds anything."""

    buckets: tuple[Bucket, ...]
    amounts: Sequence[int]


class Wanted(NamedTuple):
    """What is to be reserved under one id, which was never used before."""

    reservation: str
    claims: Claims


@fact
class Standing:
    """A bucket after a decision. `remaining` is never negative, though the bucket may be in debt.

    `reset_ms`: until it is full again; of a budget, until its window ends; of places, 0.
    `wait_ms`: until the amount asked for would be there, if nobody else takes any; 0: it is there.
    """

    bucket: Bucket
    remaining: int
    reset_ms: int
    wait_ms: int = 0

    @property
    def share_left(self) -> float:
        """Of the whole bucket, from 0 to 1."""
        return self.remaining / self.bucket.limit if self.remaining else 0.0


@fact
class Granted:
    """Everything was taken. `standings`: one for each claim, in order."""

    standings: Sequence[Standing]


@fact
class Refused:
    """Nothing was taken: at least one claim has to wait. `standings`: one for each claim, in order."""

    standings: Sequence[Standing]

    @property
    def refusing(self) -> Sequence[Standing]:
        """Those whose bucket holds too little, in order."""
        return [standing for standing in self.standings if standing.wait_ms]


Verdict = Granted | Refused
