"""A state machine that drives a store of limits and the model with the same steps, and wants the same answers.

Derive from it, say in `open` how a store is made and reached, and use its `TestCase`.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clawgw.limits.bucket import Bucket, Kind, Scope, Spent, Standing, Verdict, Wanted, Window
from tests.limits.claims import Claim, together
from tests.limits.model import Model

ALMOST_MARCH = 1_709_251_199_000 - 20_000
"""2024-02-29 23:59:39 UTC: every window is about to end."""
_OWNERS: tuple[tuple[Scope, str], ...] = (("key", "a"), ("quota", "k\0\udc80"))
_KINDS: tuple[tuple[Kind, Window], ...] = (
    ("requests", "minute"),
    ("tokens", "minute"),
    ("concurrent", "minute"),
    ("usd", "hour"),
    ("usd", "month"),
)
LIMITS: dict[Kind, tuple[int, ...]] = {
    "requests": (3, 40),
    "tokens": (60, 500),
    "concurrent": (3, 20),
    "usd": (50, 1_000),
}
BUCKETS = st.sampled_from([Bucket(scope, name, kind, 0, per) for scope, name in _OWNERS for kind, per in _KINDS])
"""Buckets whose limit is still to be said."""


class Driven(Protocol):
    """A store as the machine wants it: what was said has been done when a call returns."""

    def reserve_each(self, wanted: Sequence[Wanted], expires_ms: int) -> Sequence[Verdict]: ...

    def settle(self, reservation: str, used: Sequence[int]) -> None: ...

    def peek(self, bucket: Bucket) -> Standing | None: ...

    def seed(self, bucket: Bucket, spent: Spent) -> None: ...

    def renew(self) -> None: ...

    def close(self) -> None: ...


class LimitMachine(RuleBasedStateMachine):
    most_back_ms = 5_000
    """How far the clock may go back in one step."""
    sees_present = True
    """Whether `peek` tells how things are, and not how they were when somebody asked last."""

    def open(self, now_ms: Callable[[], int]) -> Driven:
        """A new store that goes by `now_ms`."""
        raise NotImplementedError

    @initialize(buckets=st.lists(BUCKETS, min_size=1, max_size=4, unique=True))
    def begin(self, buckets: list[Bucket]) -> None:
        """Few buckets in each run, so that its steps meet."""
        self.buckets = buckets
        self.now = ALMOST_MARCH
        self.model = Model()
        self.store = self.open(lambda: self.now)
        self.made = 0
        self.unsettled: dict[str, int] = {}
        self.settled = {"never made": 1}

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()

    @rule(data=st.data(), expires_ms=st.sampled_from((10_000, 600_000)))
    def reserve(self, data: st.DataObject, expires_ms: int) -> None:
        """One reservation, or several that are asked for together."""
        chosen = data.draw(st.lists(st.sampled_from(self.buckets), min_size=1, unique=True))
        first = data.draw(st.integers(1, len(chosen)))
        wanted = [self._wanted(data, buckets) for buckets in (chosen[:first], chosen[first:]) if buckets]
        expected = self.model.reserve_each(self.now, wanted, expires_ms)
        assert list(self.store.reserve_each(wanted, expires_ms)) == expected

    @precondition(lambda self: self.unsettled)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        reservation = data.draw(st.sampled_from(list(self.unsettled)))
        self.settled[reservation] = self.unsettled.pop(reservation)
        self._settle(data, reservation, self.settled[reservation])

    @rule(data=st.data())
    def settle_in_vain(self, data: st.DataObject) -> None:
        self._settle(data, *data.draw(st.sampled_from(list(self.settled.items()))))

    @rule(ms=st.sampled_from((1, 900, 3_750, 10_000, 10_000, 20_000, 30_000)), renewed=st.booleans())
    def pass_time(self, ms: int, *, renewed: bool) -> None:
        self.now += ms
        if renewed:
            self.model.renew(self.now)
            self.store.renew()

    @rule(data=st.data())
    def set_back(self, data: st.DataObject) -> None:
        self.now -= data.draw(st.integers(0, self.most_back_ms))

    @precondition(lambda self: any(bucket.kind == "usd" for bucket in self.buckets))
    @rule(data=st.data(), amount=st.integers(0, 500), late=st.sampled_from((False, False, True)))
    def seed(self, data: st.DataObject, amount: int, *, late: bool) -> None:
        bucket = data.draw(st.sampled_from([bucket for bucket in self.buckets if bucket.kind == "usd"]))
        present_ms = self.model.present(bucket, self.now).at_ms
        spent = Spent(amount, present_ms - 3_600_000 if late else present_ms)
        self.model.seed(self.now, bucket, spent)
        self.store.seed(bucket, spent)

    @invariant()
    def peek(self) -> None:
        for bucket in self.buckets if self.sees_present else ():
            most = evolve(bucket, limit=LIMITS[bucket.kind][-1])
            assert self.store.peek(most) == self.model.peek(self.now, most)

    def _settle(self, data: st.DataObject, reservation: str, count: int) -> None:
        used = data.draw(st.lists(st.sampled_from((0, 1, 40, 5_000)), min_size=count, max_size=count))
        self.model.settle(self.now, reservation, used)
        self.store.settle(reservation, used)

    def _wanted(self, data: st.DataObject, buckets: Sequence[Bucket]) -> Wanted:
        self.made += 1
        reservation = f"r{self.made}"
        self.unsettled[reservation] = len(buckets)
        return Wanted(reservation, together(self._claim(data, bucket) for bucket in buckets))

    @staticmethod
    def _claim(data: st.DataObject, bucket: Bucket) -> Claim:
        limit = data.draw(st.sampled_from(LIMITS[bucket.kind]))
        amount = data.draw(st.sampled_from((1, 1, 1, 2, 0, limit, limit // 2)))
        return Claim(evolve(bucket, limit=limit), amount)
