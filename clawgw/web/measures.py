"""What can be counted or measured, as Prometheus knows it: counters, gauges, histograms.

Requests add to the numbers of a `Tally`, which costs a tenth of what the library's own take. The library shows them.
"""

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from operator import add

import orjson
from attrs import define, field
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from clawgw.web.tally import Cells, Tally

Labels = tuple[str, ...]
"""A series' values of a measure's labels."""
Combine = Callable[[float, float], float]


@define(eq=False)
class Measure(ABC):
    """One of them, in series by the values of its labels. Without labels there is one series, from the start."""

    name: str
    text: str
    labels: Sequence[str]
    _tally: Tally
    combine: Combine = add
    """How the numbers of two processes become one."""
    _taken: dict[Labels, Cells] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        if not self.labels:
            self.of()

    def of(self, *labels: str) -> Cells:
        """The numbers of a series, which is made if need be: what has never happened is not shown."""
        cells = self._taken.get(labels)
        if cells is None:
            cells = self._taken[labels] = self._tally.take(orjson.dumps([self.name, *labels]), self._size)
        return cells

    @property
    def _size(self) -> int:
        """How many numbers a series has."""
        return 1

    @abstractmethod
    def family(self, series: Mapping[Labels, Sequence[float]]) -> Metric:
        """All series for the library."""


class Counter(Measure):
    """It only grows."""

    def family(self, series: Mapping[Labels, Sequence[float]]) -> Metric:
        """See `Measure`."""
        family = CounterMetricFamily(self.name, self.text, labels=self.labels)
        for labels, (value,) in series.items():
            family.add_metric(labels, value)
        return family


class Gauge(Measure):
    """How something is now."""

    def family(self, series: Mapping[Labels, Sequence[float]]) -> Metric:
        """See `Measure`."""
        family = GaugeMetricFamily(self.name, self.text, labels=self.labels)
        for labels, (value,) in series.items():
            family.add_metric(labels, value)
        return family


@define(eq=False)
class Histogram(Measure):
    """How many values were up to each bound, and their sum: that is a series' first number."""

    bounds: Sequence[float] = field(kw_only=True)

    def observer(self, *labels: str) -> Callable[[float], None]:
        """What counts a value of a series."""
        cells, bounds = self.of(*labels), self.bounds

        def observe(value: float) -> None:
            cells[0] += value
            cells[bisect_left(bounds, value) + 1] += 1

        return observe

    @property
    def _size(self) -> int:
        return len(self.bounds) + 2

    def family(self, series: Mapping[Labels, Sequence[float]]) -> Metric:
        """See `Measure`."""
        family = HistogramMetricFamily(self.name, self.text, labels=self.labels)
        for labels, (total, *counts) in series.items():
            family.add_metric(labels, [*zip(self._shown_bounds(), accumulate(counts), strict=True)], total)
        return family

    def _shown_bounds(self) -> Sequence[str]:
        return [*map(str, self.bounds), "+Inf"]
