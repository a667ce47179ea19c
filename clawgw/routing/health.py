"""What is known of a provider's models: who may be asked, and how well each has answered of late.

An attempt asks for admission, and the `Admission` it gets takes note of what becomes of it. Breakers and cool-downs are
per key and model, latencies and the share of failures per model. All of it is one worker's own knowledge.
"""

from collections import OrderedDict
from collections.abc import Callable
from enum import Enum

from attrs import Factory, define, field

from clawgw.config import settings
from clawgw.policy import BreakerState, TargetView
from clawgw.routing.breaker import Breaker
from clawgw.routing.cool_down import CoolDown
from clawgw.routing.latency import Latency
from clawgw.routing.recent import RecentCount
from clawgw.wire.codec import Failure, Kind

MAX_MODELS = 1024
"""As many models of a provider are kept in mind; a client may name any. Those in use are kept in any case."""
FAILURE_WINDOW_S = 30.0


class Effect(Enum):
    """What a failed attempt says of its target."""

    FAULT = "fault"
    """The target does not work: the breaker counts it."""
    COOL_DOWN = "cool_down"
    """The target works and wants to be left alone."""
    NONE = "none"
    """Nothing: the request was wrong, or the key, and the key's pool sees to that."""


EFFECTS: dict[Kind, Effect] = {
    Kind.SERVER: Effect.FAULT,
    Kind.CONNECT: Effect.FAULT,
    Kind.TIMEOUT: Effect.FAULT,
    Kind.RESET: Effect.FAULT,
    Kind.INVALID: Effect.FAULT,
    Kind.IDLE: Effect.FAULT,
    Kind.TOO_LARGE: Effect.FAULT,
    Kind.RATE_LIMITED: Effect.COOL_DOWN,
    Kind.BAD_REQUEST: Effect.NONE,
    Kind.CONTEXT_LENGTH: Effect.NONE,
    Kind.CONTENT_POLICY: Effect.NONE,
    Kind.MODEL_NOT_FOUND: Effect.NONE,
    Kind.LOOP: Effect.NONE,
    Kind.UNSUPPORTED: Effect.NONE,
    Kind.UNAVAILABLE: Effect.NONE,
    Kind.OVER_LIMIT: Effect.NONE,
    Kind.KEY_OVER_LIMIT: Effect.NONE,
    Kind.AUTH: Effect.NONE,
    Kind.QUOTA: Effect.NONE,
}


@define(eq=False)
class KeyHealth:
    """One key at one model."""

    breaker: Breaker
    cool_down: CoolDown = field(init=False, factory=CoolDown)

    def wait_s(self, now: float) -> float:
        """Seconds until this key may be used; 0 if it may now."""
        return max(self.cool_down.left_s(now), self.breaker.reopens_in(now))

    def refusal(self, now: float) -> Failure:
        """Why it may not be used now, as the failure of an attempt for which nothing was sent."""
        cooling_s, broken_s = self.cool_down.left_s(now), self.breaker.reopens_in(now)
        if cooling_s >= broken_s:
            said = f"it has asked to be left alone for another {cooling_s:.1f} s"
            return Failure(Kind.RATE_LIMITED, said, retry_after_s=cooling_s, held_back=True)
        said = f"it keeps failing, and is tried again in {broken_s:.1f} s"
        return Failure(Kind.UNAVAILABLE, said, retry_after_s=broken_s)


@define(eq=False)
class TargetHealth:
    """One model. Streams are timed to their first token and plain answers to their end: two different things."""

    keys: tuple[KeyHealth, ...]
    random: Callable[[], float]
    streams: Latency = field(init=False, factory=Latency)
    plain: Latency = field(init=False, factory=Latency)
    outcomes: RecentCount = field(init=False, factory=lambda: RecentCount(FAILURE_WINDOW_S))
    failures: RecentCount = field(init=False, factory=lambda: RecentCount(FAILURE_WINDOW_S))
    in_flight: int = field(init=False, default=0)

    def admit(self, key: int | None, now: float, *, streaming: bool) -> "Admission | Failure":
        """As `Health.admit`."""
        key_health = self.keys[key or 0]
        if key_health.wait_s(now):
            return key_health.refusal(now)
        key_health.breaker.admit(now)
        self.in_flight += 1
        return Admission(self, key_health, self.latency(streaming=streaming), now)

    def latency(self, *, streaming: bool) -> Latency:
        """Of answers of one of the two kinds."""
        return self.streams if streaming else self.plain

    def view(self, base: TargetView, now: float, *, streaming: bool) -> TargetView:
        """`base` with what is known here, of the key that can be used soonest."""
        key = self._readiest(now)
        latency = self.latency(streaming=streaming)
        times = latency.quantiles(now)
        outcomes = self.outcomes.total(now)
        return TargetView(
            target=base.target,
            ready=base.ready,
            breaker="open" if key.breaker.reopens_in(now) else key.breaker.state(now),
            cooling_s=key.cool_down.left_s(now),
            in_flight=self.in_flight,
            p50_s=None if times is None else times.at(0.50),
            p95_s=None if times is None else times.at(0.95),
            p99_s=None if times is None else times.at(0.99),
            first_token=times,
            peak_ewma_s=latency.peak_ewma(now),
            failure_ratio=self.failures.total(now) / outcomes if outcomes else 0.0,
            remaining_ratio=base.remaining_ratio,
            input_price=base.input_price,
            output_price=base.output_price,
            context_window=base.context_window,
        )

    def breaker_state(self, now: float) -> BreakerState:
        """That of the key that can be used soonest."""
        return self._readiest(now).breaker.state(now)

    def _readiest(self, now: float) -> KeyHealth:
        return min(self.keys, key=lambda key: (key.wait_s(now), key.breaker.state(now) != "closed"))


@define(eq=False)
class Admission:
    """One attempt's place at a target. Whatever happens, `end` is called once, at the very end, or else `withdraw`."""

    _target: TargetHealth
    _key: KeyHealth
    _latency: Latency
    _started: float
    _epoch: int = field(init=False, default=Factory(lambda self: self._key.breaker.epoch, takes_self=True))
    _judged: bool = field(init=False, default=False)

    def answered(self, now: float) -> None:
        """The attempt has committed: the first token, or the whole of a plain answer, is here."""
        self._judged = True
        self._latency.observe(now - self._started, now)
        self._key.cool_down.succeeded()
        self._target.outcomes.add(now)
        if self._is_news:
            self._key.breaker.succeeded(now)

    def failed(self, failure: Failure, now: float) -> None:
        """The attempt has failed: instead of `answered`, or after it, in the middle of its stream."""
        if failure.kind is Kind.TIMEOUT and not self._judged:
            self._latency.at_least(now - self._started, now)
        self._judged = True
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


@define(eq=False)
class Health:
    """The models of one provider, which has `keys` keys. `random` gives numbers in [0, 1)."""

    _settings: settings.Breaker
    _keys: int
    _random: Callable[[], float] = field(repr=False)
    _models: OrderedDict[str, TargetHealth] = field(init=False, factory=OrderedDict)

    def admit(self, model: str, key: int | None, now: float, *, streaming: bool) -> Admission | Failure:
        """Let an attempt at `model` start with this key (None: the provider has none).

        Else the failure that it is: of kind UNAVAILABLE, or RATE_LIMITED and held back, with the seconds until one may.
        """
        return self._target(model).admit(key, now, streaming=streaming)

    def is_open(self, model: str, key: int, now: float) -> bool:
        """Whether an attempt with this key would be let through now."""
        return not self._target(model).keys[key].wait_s(now)

    def view(self, base: TargetView, now: float, *, streaming: bool) -> TargetView:
        """`base`, which holds what does not change (price, size), with what is known of its target at this moment.

        Times are those of streams or of plain answers, as the request is one or the other.
        """
        known = self._models.get(base.target.model)
        return base if known is None else known.view(base, now, streaming=streaming)

    def p99_s(self, model: str, now: float, *, streaming: bool) -> float | None:
        """What 99 of 100 answers of a model took at most; None: too few are known."""
        known = self._models.get(model)
        return None if known is None else known.latency(streaming=streaming).quantile(0.99, now)

    def breaker_states(self, now: float) -> dict[str, BreakerState]:
        """The models of which something is known, each with its breaker's state."""
        return {model: target.breaker_state(now) for model, target in self._models.items()}

    def _target(self, model: str) -> TargetHealth:
        target = self._models.get(model)
        if target is None:
            self._make_room()
            keys = tuple(KeyHealth(Breaker(self._settings)) for _ in range(max(1, self._keys)))
            target = self._models[model] = TargetHealth(keys, self._random)
        self._models.move_to_end(model)
        return target

    def _make_room(self) -> None:
        """Forget the model that was not asked for the longest time and has nothing under way."""
        if len(self._models) >= MAX_MODELS:
            idle = next((model for model, target in self._models.items() if not target.in_flight), None)
            if idle is not None:
                del self._models[idle]
