"""What is counted, as Prometheus reads it.

With several workers the counts of all of them are shown, whichever is asked: each counts in files of its own
(`web.count_files`) in one folder, `METRICS_DIR`. What a worker has counted stays when it ends; its gauges end with it.
"""

import logging
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import orjson
from attrs import define, field, frozen
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from clawgw.web.count_files import CountFiles
from clawgw.web.measures import Combine, Histogram, Labels, Measure
from clawgw.web.tally import Tally

log = logging.getLogger("clawgw")

METRICS_DIR = "CLAWGW_METRICS_DIR"
"""The variable that names the folder; without it there is one process."""
_PREFIX = "clawgw_"
_COUNTS, _GAUGES = "counts", "gauges"

AnyMeasure = TypeVar("AnyMeasure", bound=Measure)


@frozen
class Reloads:
    """How many reloads there were since the start."""

    ok: int = 0
    failed: int = 0


@define(eq=False)
class Configuration(Collector):
    """The version and the reloads, of which all workers know the same: they are not added up."""

    version: str
    reloads: Reloads = Reloads()

    def collect(self) -> Iterator[Metric]:
        """For the library."""
        info = GaugeMetricFamily("clawgw_config_info", "The version of the configuration", labels=["version"])
        info.add_metric([self.version], 1)
        reloads = CounterMetricFamily("clawgw_reloads", "Reloads since the start", labels=["result"])
        reloads.add_metric(["ok"], self.reloads.ok)
        reloads.add_metric(["failed"], self.reloads.failed)
        yield from (info, reloads)


def _tally(kind: str) -> Tally:
    folder = os.environ.get(METRICS_DIR)
    return Tally(CountFiles(Path(folder), kind) if folder else None)


@define(eq=False)
class Exposition(Collector):
    """All measures, which are made here."""

    configuration: Configuration
    _measures: dict[str, Measure] = field(init=False, factory=dict)
    _counts: Tally = field(init=False, factory=lambda: _tally(_COUNTS))
    _gauges: Tally = field(init=False, factory=lambda: _tally(_GAUGES))
    _registry: CollectorRegistry = field(init=False, factory=CollectorRegistry)

    def __attrs_post_init__(self) -> None:
        """The configuration is shown beside the counts."""
        self._registry.register(self.configuration)
        self._registry.register(self)

    def counter(self, name: str, text: str, *labels: str) -> Measure:
        """A new measure, as are the next."""
        return self._added(Measure(_PREFIX + name, text, labels, self._counts, CounterMetricFamily))

    def histogram(self, name: str, text: str, bounds: Sequence[float], *labels: str) -> Histogram:
        """Of seconds."""
        return self._added(Histogram(f"{_PREFIX}{name}_seconds", text, labels, self._counts, bounds=bounds))

    def gauge(self, name: str, text: str, combine: Combine, *labels: str) -> Measure:
        """`combine` makes one number of those of two processes."""
        return self._added(Measure(_PREFIX + name, text, labels, self._gauges, GaugeMetricFamily, combine))

    def collect(self) -> Iterator[Metric]:
        """For the library."""
        gathered = self._gathered()
        for name, measure in self._measures.items():
            yield measure.family(gathered[name])

    def text(self, accept: str) -> tuple[bytes, str]:
        """All metrics, and their content type, as an `Accept` header asks for. Slow: to be called in a thread."""
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # the library reads no more of a version than digits and dots
            encode, content_type = choose_encoder("")
        return encode(self._registry), content_type

    def _added(self, measure: AnyMeasure) -> AnyMeasure:
        self._measures[measure.name] = measure
        return measure

    def _gathered(self) -> defaultdict[str, dict[Labels, Sequence[float]]]:
        """The series of all processes, by the names of their measures and their labels."""
        gathered = defaultdict[str, dict[Labels, Sequence[float]]](dict)
        for tally in (self._counts, self._gauges):
            for text, numbers in tally.series():
                name, *values = orjson.loads(text)
                series, labels = gathered[name], tuple(values)
                before = series.get(labels)
                series[labels] = numbers if before is None else [*map(self._measures[name].combine, before, numbers)]
        return gathered


def forget_process(folder: Path, pid: int) -> None:
    """A worker has ended: what it was doing counts no more, what it has counted goes to that of others like it.

    `folder` is where the workers count.
    """
    try:
        CountFiles(folder, _GAUGES).forget(pid)
        CountFiles(folder, _COUNTS).fold()
    except OSError as error:
        log.warning("metrics: the counts of a worker that ended stay as they are: %s", error)
