"""Prometheus metrics of the gateway, prefix `clawgw_`.

Labels come only from the configuration and the catalogue: a model that a client made up is `other`.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from operator import add

from clawgw.ledger.record import RequestRecord
from clawgw.limits import bucket
from clawgw.policies.guard import PolicyFailure
from clawgw.policy import BreakerState, Target
from clawgw.web.exposition import Configuration, Exposition, Reloads
from clawgw.web.series import AttemptMetrics, AttemptSeries, RequestMetrics, RequestSeries
from clawgw.wire.failure import Kind

_DURATION_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0, 300.0, 600.0)
_CACHE_RESULTS = ("hit", "joined", "miss", "bypass")
_ALERTS = {Kind.AUTH.value, Kind.QUOTA.value}
"""Failures that only people can do something about."""
_STATES: Mapping[BreakerState, int] = {"closed": 0, "half_open": 1, "open": 2}
_OVERHEAD_S = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024)

_REMEMBERED = 1024
"""So many kinds of requests, and of attempts, at most: clients may make up names of models."""


class Metrics:
    """A `ledger.record.Listener` that counts. `model_label` says how a target's model is named in a label."""

    def __init__(self, model_label: Callable[[Target], str], config_version: str) -> None:
        exposition = self._exposition = Exposition(Configuration(config_version))
        counter, histogram, gauge = exposition.counter, exposition.histogram, exposition.gauge
        self._model_label = model_label
        self._of_requests = RequestMetrics(
            ended=counter("requests", "Requests that have ended", "endpoint", "route", "provider", "model", "status"),
            duration=histogram("request_duration", "From arrival to end", _DURATION_S, "endpoint"),
            overhead=histogram("overhead", "Time less the wait for upstreams", _OVERHEAD_S, "endpoint"),
            first_token=histogram(
                "time_to_first_token", "From arrival to the answer's first content", _DURATION_S, "provider", "model"
            ),
            tokens=counter("tokens", "Tokens used", "provider", "model", "kind"),
        )
        self._of_attempts = AttemptMetrics(
            made=counter("attempts", "Tries at a target", "target", "trigger", "outcome"),
            cost=counter("cost_usd", "What attempts have cost, in USD", "provider", "model", "key"),
            unpriced=counter("price_unknown", "Attempts that used tokens at a price nobody knows", "provider", "model"),
        )
        self._keys_refused = counter(
            "keys_refused", "Providers' keys that were refused, or had no credit left", "provider", "reason"
        )
        self._policy_errors = counter("policy_errors", "Policies that failed; the gateway went on without", "policy")
        self._rejections = counter("limit_rejections", "Requests and attempts that a limit refused", "scope", "kind")
        self._limits_degraded = gauge("limiter_degraded", "1: the store of limits does not answer", max).of()
        cache = counter("cache", "Requests, by what came of the cache", "result")
        self._cache = {result: cache.of(result) for result in _CACHE_RESULTS}
        self._spool_rows = gauge("log_spool_rows", "Records that are not yet wherever they are to be", add).of()
        self._spool_bytes = gauge("log_spool_bytes", "What the spool of the log takes on the disk", max).of()
        counter("log_dropped", "Records lost")
        self._dropped_bodies = counter("log_bodies_dropped", "Records without the bodies that they should have").of()
        self._in_flight = gauge("in_flight", "Requests being served", add).of()
        self._breakers = gauge("breaker_state", "0 closed, 1 half-open, 2 open", max, "provider", "model")
        self._shown_breakers = set[tuple[str, str]]()
        self._request_series = lru_cache(_REMEMBERED)(self._series_of_requests)
        self._attempt_series = lru_cache(_REMEMBERED)(self._series_of_attempts)

    def request_started(self, endpoint: str) -> None:  # noqa: ARG002 - the gauge has no labels
        """A checked request is being served."""
        self._in_flight[0] += 1

    def request_ended(self, record: RequestRecord) -> None:
        """The same request is over."""
        self._in_flight[0] -= 1
        series = self._request_series(record.endpoint, record.route, record.provider, record.model, record.status)
        series.add(record)
        for attempt in record.attempts:
            target = attempt.target
            kind = self._attempt_series(target.provider, target.model, attempt.trigger, attempt.outcome, record.key)
            kind.add(attempt)
            if attempt.error_code in _ALERTS:
                self._keys_refused.of(target.provider, attempt.error_code)[0] += 1

    def refused(self, endpoint: str, status: int) -> None:
        """A request that did not get as far as the gateway: its head or its body was not good."""
        self._of_requests.ended.of(endpoint, "", "", "", str(status))[0] += 1

    def policy_failed(self, policy: str, _failure: PolicyFailure) -> None:
        """A policy gave nothing to work with."""
        self._policy_errors.of(policy)[0] += 1

    def limit_rejected(self, scope: bucket.Scope, kind: bucket.Kind) -> None:
        """A bucket held too little."""
        self._rejections.of(scope, kind)[0] += 1

    def cache_asked(self, result: str) -> None:
        """What came of a request: one of `caching.Result`."""
        self._cache[result][0] += 1

    def note_spool(self, rows: int, size: int) -> None:
        """What this process has written and no sink has yet, and the size of the whole in bytes."""
        self._spool_rows[0] = rows
        self._spool_bytes[0] = size

    def bodies_dropped(self, number: int) -> None:
        """So many more records are without them."""
        self._dropped_bodies[0] += number

    def note_limits(self, *, degraded: bool) -> None:
        """How the store of limits is now."""
        self._limits_degraded[0] = degraded

    def configured(self, model_label: Callable[[Target], str], config_version: str) -> None:
        """Another configuration is served."""
        self._model_label = model_label
        self._request_series.cache_clear()
        self._attempt_series.cache_clear()
        self._exposition.configuration.version = config_version

    def note_reloads(self, reloads: Reloads) -> None:
        """There was another."""
        self._exposition.configuration.reloads = reloads

    def note_breakers(self, states: Iterable[tuple[Target, BreakerState]]) -> None:
        """The breakers as they are now; of several that have the same label the worst is shown."""
        worst = dict.fromkeys(self._shown_breakers, 0)
        for target, state in states:
            names = (target.provider, self._model_label(target))
            worst[names] = max(worst.get(names, 0), _STATES[state])
        for labels, number in worst.items():
            self._breakers.of(*labels)[0] = number
        self._shown_breakers.update(worst)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """As `Exposition.text`."""
        return self._exposition.text(accept)

    def _series_of_requests(
        self, endpoint: str, route: str | None, provider: str | None, model: str | None, status: int
    ) -> RequestSeries:
        if provider is None or model is None:
            return RequestSeries(self._of_requests, endpoint, route or "", "", "", str(status))
        label = self._model_label(Target(provider, model))
        return RequestSeries(self._of_requests, endpoint, route or "", provider, label, str(status))

    def _series_of_attempts(
        self, provider: str, model: str, trigger: str, outcome: str, key: str | None
    ) -> AttemptSeries:
        label = self._model_label(Target(provider, model))
        return AttemptSeries(self._of_attempts, provider, label, trigger, outcome, key or "")
