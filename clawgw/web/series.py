"""What one more request, or attempt, of a kind adds to: the series, looked up once for all of that kind.

A series that not all of a kind add to is made for the first that does: what has never happened is not shown.
"""

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

from clawgw.ledger.record import AttemptRecord, RequestRecord
from clawgw.web.measures import Histogram, Measure
from clawgw.web.region import Cells


class RequestMetrics(NamedTuple):
    """What requests are counted in."""

    ended: Measure
    duration: Histogram
    overhead: Histogram
    first_token: Histogram
    tokens: Measure


class AttemptMetrics(NamedTuple):
    """What attempts are counted in."""

    made: Measure
    cost: Measure
    unpriced: Measure


class _Tokens(dict[str, Cells]):
    """Where tokens of a kind are counted, by the kind."""

    def __init__(self, metric: Measure, provider: str, model: str) -> None:
        self._metric, self._names = metric, (provider, model)

    def __missing__(self, kind: str) -> Cells:
        self[kind] = self._metric.of(*self._names, kind)
        return self[kind]


class RequestSeries:
    """The series of requests that have all of this in common; the arguments are labels."""

    def __init__(
        self, metrics: RequestMetrics, endpoint: str, route: str, provider: str, model: str, status: str
    ) -> None:
        self._ended = metrics.ended.of(endpoint, route, provider, model, status)
        self._duration = metrics.duration.observer(endpoint)
        self._overhead = metrics.overhead.observer(endpoint)
        self._tokens = _Tokens(metrics.tokens, provider, model)
        self._metrics, self._names = metrics, (provider, model)

    def add(self, record: RequestRecord) -> None:
        """Count one of them."""
        self._ended[0] += 1
        self._duration(record.duration_ms / 1000)
        self._overhead(max(0.0, record.duration_ms - record.upstream_ms) / 1000)
        if record.cache is None:
            self._add_answer(record)

    def _add_answer(self, record: RequestRecord) -> None:
        """What somebody has been asked for."""
        if record.first_token_ms is not None:
            self._first_token(record.first_token_ms / 1000)
        for kind, tokens in (
            ("prompt", record.prompt_tokens),
            ("cached", record.cached_tokens),
            ("completion", record.completion_tokens),
            ("reasoning", record.reasoning_tokens),
        ):
            if tokens:
                self._tokens[kind][0] += tokens

    @cached_property
    def _first_token(self) -> Callable[[float], None]:
        return self._metrics.first_token.observer(*self._names)


class AttemptSeries:
    """The series of attempts that have all of this in common; the arguments are labels."""

    def __init__(
        self, metrics: AttemptMetrics, provider: str, model: str, trigger: str, outcome: str, key: str
    ) -> None:
        self._made = metrics.made.of(f"{provider}/{model}", trigger, outcome)
        self._metrics, self._names, self._key = metrics, (provider, model), key

    def add(self, attempt: AttemptRecord) -> None:
        """Count one of them."""
        self._made[0] += 1
        cost_usd = attempt.cost_usd
        if cost_usd is not None:
            self._cost[0] += cost_usd
        elif attempt.prompt_tokens is not None:
            self._unpriced[0] += 1

    @cached_property
    def _cost(self) -> Cells:
        return self._metrics.cost.of(*self._names, self._key)

    @cached_property
    def _unpriced(self) -> Cells:
        return self._metrics.unpriced.of(*self._names)
