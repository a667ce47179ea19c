"""What can be counted or measured, as Prometheus knows it: counters, gauges, histograms.

Requests add to the numbers of a `Tally`, which costs a tenth of what the library's own take. The library shows them.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from operator import add
from typing import Any

import orjson
from attrs import define, field
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from clawgw.web.region import Cells
from clawgw.web.tally import Tally

Labels = tuple[str, ...]
"""A series' values of a measure's labels."""
Combine = Callable[[float, float], float]
Family = type[CounterMetricFamily] | type[GaugeMetricFamily] | type[HistogramMetricFamily]


@define(eq=False)
class Measure:
    """One of them, in series by the values of its labels. Without labels there is one series, from the start."""

    name: str
    text: str
    labels: Sequence[str]
    _tally: Tally
    _family: Family
    """What the library takes for one."""
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

    def family(self, series: Mapping[Labels, Sequence[float]]) -> Metric:
        """All series for the library."""
        family = self._family(self.name, self.text, labels=self.labels)
        for labels, numbers in series.items():
            family.add_metric(labels, *self._shown(numbers))
        return family

    @property
    def _size(self) -> int:
        """How many numbers a series has."""
        return 1

    def _shown(self, numbers: Sequence[float]) -> Sequence[Any]:
        """What the library takes for a series."""
        return numbers


@define(eq=False)
class Histogram(Measure):
    """How many values were up to each bound, and their sum: that is a series' first number."""

    _family: Family = field(init=False, default=HistogramMetricFamily)
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

    def _shown(self, numbers: Sequence[float]) -> Sequence[Any]:
        total, *counts = numbers
        bounds = [*map(str, self.bounds), "+Inf"]
        return [*zip(bounds, accumulate(counts), strict=True)], total
