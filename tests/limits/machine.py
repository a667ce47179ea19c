"""A state machine that drives a store of limits and the model with the same steps, and wants the same answers.

Derive from it, say in `open` how a store is made and reached, and use its `TestCase`.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from clawgw.limits.bucket import Bucket, Claim, Kind, Scope, Standing, Verdict, Window
from tests.limits.model import Model

ALMOST_MARCH = 1_709_251_199_000 - 20_000
"""2024-02-29 23:59:39 UTC: every window is about to end."""
OWNERS: tuple[tuple[Scope, str], ...] = (("key", "a"), ("key", "b"), ("label", "team:x"), ("quota", "k\0\udc80"))
KINDS: tuple[tuple[Kind, Window], ...] = (
    ("requests", "minute"),
    ("tokens", "minute"),
    ("concurrent", "minute"),
    ("usd", "hour"),
    ("usd", "day"),
    ("usd", "month"),
)
LIMITS: dict[Kind, tuple[int, ...]] = {
    "requests": (1, 3, 7),
    "tokens": (100, 1_000),
    "concurrent": (1, 3, 10),
    "usd": (10, 1_000),
}


class Driven(Protocol):
    """A store as the machine wants it: what was said has been done when a call returns."""

    def reserve(self, reservation: str, claims: Sequence[Claim], expires_ms: int) -> Verdict: ...

    def settle(self, reservation: str, used: Sequence[int]) -> None: ...

    def peek(self, bucket: Bucket) -> Standing | None: ...

    def seed(self, bucket: Bucket, spent: int) -> None: ...

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

    @initialize()
    def begin(self) -> None:
        self.now = ALMOST_MARCH
        self.model = Model()
        self.store = self.open(lambda: self.now)
        self.made: list[tuple[str, int]] = []

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()

    @rule(data=st.data(), expires_ms=st.sampled_from((1, 20_000, 100_000, 600_000)))
    def reserve(self, data: st.DataObject, expires_ms: int) -> None:
        subjects = st.tuples(st.sampled_from(OWNERS), st.sampled_from(KINDS))
        chosen = data.draw(st.lists(subjects, min_size=1, max_size=6, unique=True))
        claims = [self._claim(data, *subject) for subject in chosen]
        reservation = f"r{len(self.made)}"
        self.made.append((reservation, len(claims)))
        expected = self.model.reserve(self.now, reservation, claims, expires_ms)
        assert self.store.reserve(reservation, claims, expires_ms) == expected

    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        reservation, count = data.draw(st.sampled_from([*self.made, ("never made", 1)]))
        used = data.draw(st.lists(st.sampled_from((0, 1, 3, 50, 5_000)), min_size=count, max_size=count))
        self.model.settle(self.now, reservation, used)
        self.store.settle(reservation, used)

    @rule(ms=st.sampled_from((1, 7, 900, 3_750, 10_000, 29_999, 60_000, 3_600_000, 32 * 86_400_000)))
    def pass_time(self, ms: int) -> None:
        self.now += ms

    @rule(data=st.data())
    def set_back(self, data: st.DataObject) -> None:
        self.now -= data.draw(st.integers(0, self.most_back_ms))

    @rule()
    def renew(self) -> None:
        self.model.renew(self.now)
        self.store.renew()

    @rule(owner=st.sampled_from(OWNERS), per=st.sampled_from(("hour", "day", "month")), spent=st.integers(0, 500))
    def seed(self, owner: tuple[Scope, str], per: Window, spent: int) -> None:
        bucket = Bucket(*owner, "usd", 1_000, per)
        self.model.seed(self.now, bucket, spent)
        self.store.seed(bucket, spent)

    @rule(data=st.data(), owner=st.sampled_from(OWNERS), kind=st.sampled_from(KINDS))
    def peek(self, data: st.DataObject, owner: tuple[Scope, str], kind: tuple[Kind, Window]) -> None:
        bucket = self._claim(data, owner, kind).bucket
        seen = self.store.peek(bucket)
        if self.sees_present:
            assert seen == self.model.peek(self.now, bucket)

    @staticmethod
    def _claim(data: st.DataObject, owner: tuple[Scope, str], kind: tuple[Kind, Window]) -> Claim:
        limit = data.draw(st.sampled_from(LIMITS[kind[0]]))
        amount = data.draw(st.one_of(st.just(1), st.integers(0, limit)))
        return Claim(Bucket(*owner, kind[0], limit, kind[1]), amount)
