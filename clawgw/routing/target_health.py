"""What is known of one model of a provider: with which key it may be asked, and how well it has answered of late.

An attempt asks for admission, and the `Admission` it gets takes note of what becomes of it. Breakers and cool-downs are
per key, latencies and the share of failures the model's.
"""

from collections.abc import Callable

from attrs import define, field

from clawgw.fact import fact
from clawgw.policy import BreakerState, TargetView
from clawgw.routing.breaker import Breaker
from clawgw.routing.cool_down import CoolDown
from clawgw.routing.effects import EFFECTS, Effect
from clawgw.routing.latency import Latency
from clawgw.routing.recent import RecentCount
from clawgw.wire.failure import Failure, Kind

FAILURE_WINDOW_S = 30.0
VIEW_S = 0.1
"""A view of a target to which nothing happens is good for so long: in that time an average fades by a hundredth."""


@define(eq=False)
class KeyHealth:
    """One key at one model."""

    breaker: Breaker
    cool_down: CoolDown = field(init=False, factory=CoolDown)

    def wait_s(self, now: float) -> float:
        """Seconds until this key may be used; 0 if it may now."""
        return max(self.cool_down.until, self.breaker.admits_from, now) - now

    def refusal(self, now: float) -> Failure:
        """Why it may not be used now, as the failure of an attempt for which nothing was sent."""
        cooling_s, broken_s = self.cool_down.left_s(now), self.breaker.reopens_in(now)
        if cooling_s >= broken_s:
            said = f"it has asked to be left alone for another {cooling_s:.1f} s"
            return Failure(Kind.RATE_LIMITED, said, retry_after_s=cooling_s, held_back=True)
        said = f"it keeps failing, and is tried again in {broken_s:.1f} s"
        return Failure(Kind.UNAVAILABLE, said, retry_after_s=broken_s)


RemainingRatio = Callable[[str, float], float]
"""What is left of a provider's limits, from 0 to 1."""


@fact
class _Seen:
    """A view, of how many `changes` and `failures`, and until when it is good."""

    view: TargetView
    base: TargetView
    until: float
    changes: int
    failed: int


@define(eq=False)
class TargetHealth:
    """One model. Streams are timed to their first token and plain answers to their end: two different things.

    `changes` counts what has happened here, `failed` the attempts that failed.
    """

    keys: tuple[KeyHealth, ...]
    random: Callable[[], float]
    streams: Latency = field(init=False, factory=Latency)
    plain: Latency = field(init=False, factory=Latency)
    outcomes: RecentCount = field(init=False, factory=lambda: RecentCount(FAILURE_WINDOW_S))
    failures: RecentCount = field(init=False, factory=lambda: RecentCount(FAILURE_WINDOW_S))
    in_flight: int = field(init=False, default=0)
    changes: int = field(init=False, default=0)
    failed: int = field(init=False, default=0)
    _seen: dict[bool, _Seen] = field(init=False, factory=dict, repr=False)
    """The latest views, for streams and for plain answers."""

    def admit(self, key: int | None, now: float, *, streaming: bool) -> "Admission | Failure":
        """As `Health.admit`."""
        key_health = self.keys[key or 0]
        if key_health.wait_s(now):
            return key_health.refusal(now)
        key_health.breaker.admit(now)
        self.in_flight += 1
        self.changes += 1
        return Admission(self, key_health, self.latency(streaming=streaming), now, key_health.breaker.epoch)

    def latency(self, *, streaming: bool) -> Latency:
        """Of answers of one of the two kinds."""
        return self.streams if streaming else self.plain

    def view(
        self, base: TargetView, now: float, remaining: RemainingRatio, *, streaming: bool, steady: bool
    ) -> TargetView:
        """`base` with what is known here, of the key that can be used soonest.

        The same view as before, where nothing has happened since but that a little time has passed; if `steady`, where
        nothing has failed.
        """
        seen = self._seen.get(streaming)
        if seen is not None and seen.base is base and now < seen.until:
            same = seen.failed == self.failed if steady else seen.changes == self.changes
            if same:
                return seen.view
        view = self._view(base, now, self.latency(streaming=streaming), remaining(base.target.provider, now))
        if view.breaker == "closed" and not view.cooling_s:
            self._seen[streaming] = _Seen(view, base, now + VIEW_S, self.changes, self.failed)
        return view

    def _view(self, base: TargetView, now: float, latency: Latency, remaining: float) -> TargetView:
        key, times = self._readiest(now), latency.quantiles(now)
        failures = self.failures.total(now)
        return TargetView(
            base.target,
            base.ready,
            "open" if key.breaker.admits_from > now else key.breaker.state(now),
            key.cool_down.left_s(now),
            self.in_flight,
            None if times is None else times.p50_s,
            None if times is None else times.p95_s,
            None if times is None else times.p99_s,
            times,
            latency.peak_ewma(now),
            failures / self.outcomes.total(now) if failures else 0.0,
            remaining,
            base.input_price,
            base.output_price,
            base.context_window,
        )

    def breaker_state(self, now: float) -> BreakerState:
        """That of the key that can be used soonest."""
        return self._readiest(now).breaker.state(now)

    def _readiest(self, now: float) -> KeyHealth:
        if len(self.keys) == 1:
            return self.keys[0]
        return min(self.keys, key=lambda key: (key.wait_s(now), key.breaker.state(now) != "closed"))


@define(eq=False)
class Admission:
    """One attempt's place at a target. Whatever happens, `end` is called once, at the very end, or else `withdraw`."""

    _target: TargetHealth
    _key: KeyHealth
    _latency: Latency
    _started: float
    _epoch: int
    """The breaker's."""
    _judged: bool = field(init=False, default=False)

    def answered(self, now: float) -> None:
        """The attempt has committed: the first token, or the whole of a plain answer, is here."""
        self._judged = True
        self._latency.observe(now - self._started, now)
        self._key.cool_down.succeeded()
        self._target.outcomes.add(now)
        self._target.changes += 1
        if self._is_news:
            self._key.breaker.succeeded(now)

    def failed(self, failure: Failure, now: float) -> None:
        """The attempt has failed: instead of `answered`, or after it, in the middle of its stream."""
        if failure.kind is Kind.TIMEOUT and not self._judged:
            self._latency.at_least(now - self._started, now)
        self._judged = True
        self._target.changes += 1
        self._target.failed += 1
        effect = EFFECTS[failure.kind]
        if effect is Effect.FAULT:
            self._fault(now)
            return
        if effect is Effect.COOL_DOWN:
            self._key.cool_down.throttled(now, failure.retry_after_s)
        self._neutral(now)

    def withdraw(self, now: float) -> None:
        """The attempt has not begun, and will not: instead of everything else."""
        self._judged = True
        self._neutral(now)
        self.end(now)

    def cooling_s(self, now: float) -> float:
        """How long the provider wants to be left alone."""
        return self._key.cool_down.left_s(now)

    def end(self, now: float) -> None:
        """Nothing is open any more. An attempt neither answered nor failed was cancelled: it had no answer so far."""
        self._target.in_flight -= 1
        self._target.changes += 1
        if not self._judged:
            self._latency.at_least(now - self._started, now)
            self._neutral(now)

    @property
    def _is_news(self) -> bool:
        return self._epoch == self._key.breaker.epoch

    def _fault(self, now: float) -> None:
        self._target.outcomes.add(now)
        self._target.failures.add(now)
        if self._is_news:
            self._key.breaker.failed(now, self._target.random())

    def _neutral(self, now: float) -> None:
        if self._is_news:
            self._key.breaker.neutral(now)
