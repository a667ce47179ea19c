"""What a store of limits does, in the plainest words: dictionaries, fractions, and one lease for every place."""

import math
from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from attrs import define, field

from clawgw.limits.bucket import Bucket, Granted, Refused, Spent, Standing, Verdict, Wanted, Window
from tests.limits.claims import Claim, one_by_one

LEASE_MS = 30_000
TICK_MS = 3_750
"""Leases begin with the tick in which they are taken or renewed."""
SET_BACK_MS = 60_000
Name = tuple[str, str, str, str]


def name(bucket: Bucket) -> Name:
    return bucket.scope, bucket.name, bucket.kind, bucket.per


@define
class Lease:
    holder: str
    amount: int
    ends_ms: int


@define
class State:
    """Of a token bucket `used` is a share of its tokens; of a budget `at_ms` is when its window began."""

    used: Fraction = Fraction(0)
    at_ms: int = 0
    leases: list[Lease] = field(factory=list)


@define
class Kept:
    claims: Sequence[Claim]
    windows: list[int]
    expires_ms: int


@define
class Model:
    states: dict[Name, State] = field(factory=dict)
    kept: dict[str, Kept] = field(factory=dict)

    def reserve_each(self, now: int, wanted: Sequence[Wanted], expires_ms: int) -> Sequence[Verdict]:
        verdicts = list[Verdict]()
        while len(verdicts) < len(wanted) and not any(isinstance(verdict, Refused) for verdict in verdicts):
            reservation, claims = wanted[len(verdicts)]
            verdicts.append(self.reserve(now, reservation, one_by_one(claims), expires_ms))
        return verdicts

    def reserve(self, now: int, reservation: str, claims: Sequence[Claim], expires_ms: int) -> Verdict:
        states = [self.present(claim.bucket, now) for claim in claims]
        before = tuple(
            standing(claim.bucket, state, now, claim.amount) for claim, state in zip(claims, states, strict=True)
        )
        if any(one.wait_ms for one in before):
            return Refused(before)
        for claim, state in zip(claims, states, strict=True):
            self.states[name(claim.bucket)] = state
            if claim.bucket.kind == "concurrent":
                state.leases.append(Lease(reservation, claim.amount, lease_ends(state.at_ms)))
            else:
                state.used += claim.amount
        self.kept[reservation] = Kept(claims, [state.at_ms for state in states], now + expires_ms)
        return Granted(tuple(self.peek(now, claim.bucket) for claim in claims))

    def settle(self, now: int, reservation: str, used: Sequence[int]) -> None:
        kept = self.kept.pop(reservation, None)
        if kept is None or now >= kept.expires_ms:
            return
        for claim, window, amount in zip(kept.claims, kept.windows, used, strict=True):
            if amount == claim.amount and claim.bucket.kind != "concurrent":
                continue
            bucket, state = claim.bucket, self.present(claim.bucket, now, bounded=False)
            self.states[name(bucket)] = state
            if bucket.kind == "concurrent":
                state.leases = [lease for lease in state.leases if lease.holder != reservation]
            elif bucket.kind == "usd":
                if state.at_ms == window:
                    state.used = max(Fraction(0), state.used + amount - claim.amount)
            else:
                most = max(state.used, Fraction(2 * bucket.limit))
                state.used = min(max(Fraction(0), state.used + amount - claim.amount), most)

    def peek(self, now: int, bucket: Bucket) -> Standing:
        return standing(bucket, self.present(bucket, now), now, 0)

    def seed(self, now: int, bucket: Bucket, spent: Spent) -> None:
        state = self.states[name(bucket)] = self.present(bucket, now)
        if state.at_ms == spent.since_ms:
            state.used = max(state.used, Fraction(spent.amount))

    def renew(self, now: int) -> None:
        self.kept = {reservation: kept for reservation, kept in self.kept.items() if now < kept.expires_ms}
        for bucket in [claim.bucket for kept in self.kept.values() for claim in kept.claims]:
            if bucket.kind == "concurrent":
                state = self.states[name(bucket)] = self.present(bucket, now)
                for lease in state.leases:
                    if lease.holder in self.kept:
                        lease.ends_ms = lease_ends(state.at_ms)

    def present(self, bucket: Bucket, now: int, *, bounded: bool = True) -> State:
        """A copy of the state, brought to `now`; `bounded`: a debt is no more than the limit."""
        state = self.states.get(name(bucket), State())
        moment = state.at_ms if 0 < state.at_ms - now <= SET_BACK_MS else now
        if bucket.kind == "concurrent":
            return State(Fraction(0), moment, [lease for lease in state.leases if lease.ends_ms > moment])
        if bucket.kind == "usd":
            begins = window_begins(bucket.per, moment)
            return State(state.used if begins == state.at_ms else Fraction(0), begins)
        if state.at_ms - now > SET_BACK_MS:
            return State(Fraction(0), now)
        used = min(state.used, Fraction(2 * bucket.limit)) if bounded else state.used
        used -= Fraction((moment - state.at_ms) * bucket.limit, 60_000)
        return State(max(Fraction(0), used), moment)


def standing(bucket: Bucket, state: State, now: int, asked: int) -> Standing:
    if bucket.kind == "concurrent":
        free = bucket.limit - sum(lease.amount for lease in state.leases)
        return Standing(bucket, max(0, free), 0, 0 if free >= asked else 1_000)
    free_parts = bucket.limit - state.used
    remaining = max(0, math.floor(free_parts))
    if bucket.kind == "usd":
        left_ms = window_ends(bucket.per, state.at_ms) - now
        return Standing(bucket, remaining, left_ms, 0 if free_parts >= asked else left_ms)

    def until(tokens: Fraction) -> int:
        return 0 if tokens <= 0 else state.at_ms - now + math.ceil(tokens * 60_000 / bucket.limit)

    return Standing(bucket, remaining, until(state.used), until(asked - free_parts))


def lease_ends(now: int) -> int:
    return now - now % TICK_MS + LEASE_MS


def window_begins(per: Window, now: int) -> int:
    then = datetime.fromtimestamp(now // 1000, UTC).replace(second=0)
    if per != "minute":
        then = then.replace(minute=0)
    if per in {"day", "month"}:
        then = then.replace(hour=0)
    return _ms(then.replace(day=1) if per == "month" else then)


def window_ends(per: Window, begins: int) -> int:
    then = datetime.fromtimestamp(begins // 1000, UTC)
    if per == "month":
        return _ms(then + timedelta(days=monthrange(then.year, then.month)[1]))
    return _ms(then + {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}[per])


def _ms(then: datetime) -> int:
    return int(then.timestamp()) * 1000
