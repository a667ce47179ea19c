"""What is known of a provider's models, a bounded number of them. All of it is one worker's own knowledge."""

from collections import OrderedDict
from collections.abc import Callable

from attrs import define, evolve, field

from clawgw.config.tables import attempts
from clawgw.policy import BreakerState, TargetView
from clawgw.routing.breaker import Breaker
from clawgw.routing.target_health import Admission, KeyHealth, RemainingRatio, TargetHealth
from clawgw.wire.failure import Failure

MAX_MODELS = 1024
"""As many models of a provider are kept in mind; a client may name any. Those in use are kept in any case."""


@define(eq=False)
class Health:
    """The models of one provider, which has `keys` keys. `random` gives numbers in [0, 1)."""

    _settings: attempts.Breaker
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

    def view(
        self,
        base: TargetView,
        now: float,
        *,
        streaming: bool,
        steady: bool = False,
        remaining: RemainingRatio = lambda _provider, _now: 1.0,
    ) -> TargetView:
        """`base`, which holds what does not change (price, size), with what is known of its target at this moment.

        Times are those of streams or of plain answers, as the request is one or the other. One that is `steady` may be
        the same as a moment ago (`target_health.VIEW_S`), though attempts have come and gone since, if none has failed.
        """
        known = self._models.get(base.target.model)
        if known is not None:
            return known.view(base, now, remaining, streaming=streaming, steady=steady)
        ratio = remaining(base.target.provider, now)
        return base if ratio == base.remaining_ratio else evolve(base, remaining_ratio=ratio)

    def p99_s(self, model: str, now: float, *, streaming: bool) -> float | None:
        """What 99 of 100 answers of a model took at most; None: too few are known."""
        known = self._models.get(model)
        times = None if known is None else known.latency(streaming=streaming).quantiles(now)
        return None if times is None else times.p99_s

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
