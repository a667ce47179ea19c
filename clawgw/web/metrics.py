"""Prometheus metrics of the gateway, prefix `clawgw_`.

Labels come only from the configuration and the catalogue: a model that a client made up is `other`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, Literal, TypeVar

from attrs import field, frozen
from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from clawgw.ledger.record import AttemptRecord, RequestRecord
from clawgw.limits.bucket import Kind, Scope
from clawgw.policies.guard import PolicyFailure
from clawgw.policy import BreakerState, Target
from clawgw.web.exposition import Configuration, Exposition, Reloads

_DURATION_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0, 300.0, 600.0)
_CACHE_RESULTS = ("hit", "joined", "miss", "bypass")
_STATES: Mapping[BreakerState, int] = {"closed": 0, "half_open": 1, "open": 2}
_OVERHEAD_S = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024)


MetricT = TypeVar("MetricT", Counter, Gauge, Histogram)


@frozen
class _Labelled(Generic[MetricT]):
    """A metric's children, remembered: the library's own look-up takes a lock and many steps."""

    metric: MetricT
    children: dict[tuple[str, ...], MetricT] = field(factory=dict)

    def __call__(self, *labels: str) -> MetricT:
        child = self.children.get(labels)
        if child is None:
            child = self.children[labels] = self.metric.labels(*labels)
        return child


class Metrics:
    """A `ledger.record.Listener` that counts. `model_label` says how a target's model is named in a label."""

    def __init__(self, model_label: Callable[[Target], str], config_version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # the library has no annotation here
        self._exposition = Exposition(Configuration(config_version))
        registry = self._exposition.registry
        self._model_label = model_label

        def counter(name: str, text: str, *labels: str) -> _Labelled[Counter]:
            return _Labelled(Counter(f"clawgw_{name}", text, labels, registry=registry))

        def histogram(name: str, text: str, buckets: Sequence[float], *labels: str) -> _Labelled[Histogram]:
            return _Labelled(Histogram(f"clawgw_{name}_seconds", text, labels, registry=registry, buckets=buckets))

        def gauge(name: str, text: str, mode: Literal["livesum", "livemax"], *labels: str) -> Gauge:
            return Gauge(f"clawgw_{name}", text, labels, registry=registry, multiprocess_mode=mode)

        self._requests = counter(
            "requests", "Requests that have ended", "endpoint", "route", "provider", "model", "status"
        )
        self._attempts = counter("attempts", "Tries at a target", "target", "trigger", "outcome")
        self._tokens = counter("tokens", "Tokens used", "provider", "model", "kind")
        self._cost = counter("cost_usd", "What attempts have cost, in USD", "provider", "model", "key")
        self._unpriced = counter(
            "price_unknown", "Attempts that used tokens at a price nobody knows", "provider", "model"
        )
        self._duration = histogram("request_duration", "From arrival to end", _DURATION_S, "endpoint")
        self._first_token = histogram(
            "time_to_first_token", "From arrival to the answer's first content", _DURATION_S, "provider", "model"
        )
        self._overhead = histogram("overhead", "Time less the wait for upstreams", _OVERHEAD_S, "endpoint")
        self._policy_errors = counter("policy_errors", "Policies that failed; the gateway went on without", "policy")
        self._rejections = counter("limit_rejections", "Requests and attempts that a limit refused", "scope", "kind")
        self._limits_degraded = gauge("limiter_degraded", "1: the store of limits does not answer", "livemax")
        self._cache = counter("cache", "Requests, by what came of the cache", "result")
        for result in _CACHE_RESULTS:
            self._cache(result)
        self._spool_rows = gauge("log_spool_rows", "Records that are not yet wherever they are to be", "livesum")
        self._spool_bytes = gauge("log_spool_bytes", "What the spool of the log takes on the disk", "livemax")
        counter("log_dropped", "Records lost")
        self._dropped_bodies = counter("log_bodies_dropped", "Records without the bodies that they should have").metric
        self._in_flight = gauge("in_flight", "Requests being served", "livesum")
        self._breakers = _Labelled(
            gauge("breaker_state", "0 closed, 1 half-open, 2 open", "livemax", "provider", "model")
        )

    def request_started(self, endpoint: str) -> None:  # noqa: ARG002 - the gauge has no labels
        """A checked request is being served."""
        self._in_flight.inc()

    def request_ended(self, record: RequestRecord) -> None:
        """The same request is over."""
        self._in_flight.dec()
        provider, model = self._names(record.provider, record.model)
        route = record.route or ""
        self._requests(record.endpoint, route, provider, model, str(record.status)).inc()
        self._duration(record.endpoint).observe(record.duration_ms / 1000)
        self._overhead(record.endpoint).observe(max(0.0, record.duration_ms - record.upstream_ms) / 1000)
        if record.cache is None:
            self._count_answer(record, provider, model)
        for attempt in record.attempts:
            self._attempts(self._target(attempt), attempt.trigger, attempt.outcome).inc()
            self._count_cost(attempt, record.key or "")

    def refused(self, endpoint: str, status: int) -> None:
        """A request that did not get as far as the gateway: its head or its body was not good."""
        self._requests(endpoint, "", "", "", str(status)).inc()

    def policy_failed(self, policy: str, _failure: PolicyFailure) -> None:
        """A policy gave nothing to work with."""
        self._policy_errors(policy).inc()

    def limit_rejected(self, scope: Scope, kind: Kind) -> None:
        """A bucket held too little."""
        self._rejections(scope, kind).inc()

    def cache_asked(self, result: str) -> None:
        """What came of a request: one of `caching.Result`."""
        self._cache(result).inc()

    def note_spool(self, rows: int, size: int) -> None:
        """What this process has written and no sink has yet, and the size of the whole in bytes."""
        self._spool_rows.set(rows)
        self._spool_bytes.set(size)

    def bodies_dropped(self, number: int) -> None:
        """So many more records are without them."""
        self._dropped_bodies.inc(number)

    def note_limits(self, *, degraded: bool) -> None:
        """How the store of limits is now."""
        self._limits_degraded.set(degraded)

    def configured(self, model_label: Callable[[Target], str], config_version: str) -> None:
        """Another configuration is served."""
        self._model_label = model_label
        self._exposition.configuration.version = config_version

    def note_reloads(self, reloads: Reloads) -> None:
        """There was another."""
        self._exposition.configuration.reloads = reloads

    def note_breakers(self, states: Iterable[tuple[Target, BreakerState]]) -> None:
        """The breakers as they are now; of several that have the same label the worst is shown."""
        worst = dict.fromkeys(self._breakers.children, 0)
        for target, state in states:
            names = (target.provider, self._model_label(target))
            worst[names] = max(worst.get(names, 0), _STATES[state])
        for labels, number in worst.items():
            self._breakers(*labels).set(number)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """As `Exposition.text`."""
        return self._exposition.text(accept)

    def _count_answer(self, record: RequestRecord, provider: str, model: str) -> None:
        """What somebody has been asked for."""
        if record.first_token_ms is not None:
            self._first_token(provider, model).observe(record.first_token_ms / 1000)
        kinds = {
            "prompt": record.prompt_tokens,
            "cached": record.cached_tokens,
            "completion": record.completion_tokens,
            "reasoning": record.reasoning_tokens,
        }
        for kind, tokens in kinds.items():
            if tokens:
                self._tokens(provider, model, kind).inc(tokens)

    def _count_cost(self, attempt: AttemptRecord, key: str) -> None:
        names = self._names(attempt.target.provider, attempt.target.model)
        if attempt.cost_usd is not None:
            self._cost(*names, key).inc(attempt.cost_usd)
        elif attempt.prompt_tokens is not None:
            self._unpriced(*names).inc()

    def _names(self, provider: str | None, model: str | None) -> tuple[str, str]:
        if provider is None or model is None:
            return "", ""
        return provider, self._model_label(Target(provider, model))

    def _target(self, attempt: AttemptRecord) -> str:
        return "/".join(self._names(attempt.target.provider, attempt.target.model))
