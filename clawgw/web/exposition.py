"""What is counted, as Prometheus reads it.

With several workers the counts of all of them are shown, through the files of prometheus_client's multiprocess mode
(`PROMETHEUS_MULTIPROC_DIR`, set before this process started; prometheus.github.io/client_python/multiprocess).
"""

import os
from collections.abc import Iterator

from attrs import define, field, frozen
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"


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


@define(eq=False)
class Exposition:
    """`registry` holds what this process counts."""

    configuration: Configuration
    registry: CollectorRegistry = field(init=False, factory=CollectorRegistry)

    def __attrs_post_init__(self) -> None:
        """The configuration is shown beside the counts."""
        self.registry.register(self.configuration)

    def text(self, accept: str) -> tuple[bytes, str]:
        """All metrics, and their content type, as an `Accept` header asks for. Slow: to be called in a thread."""
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # the library reads no more of a version than digits and dots
            encode, content_type = choose_encoder("")
        return encode(self._gathered()), content_type

    def _gathered(self) -> CollectorRegistry:
        if not os.environ.get(MULTIPROCESS_DIR):
            return self.registry
        gathered = CollectorRegistry()
        gathered.register(self.configuration)
        MultiProcessCollector(gathered)  # type: ignore[no-untyped-call] # the library has no annotation here
        return gathered


def forget_process(folder: str, pid: int) -> None:
    """A worker has ended: what it was doing counts no more. `folder` is where the workers count."""
    mark_process_dead(pid, folder)  # type: ignore[no-untyped-call] # the library has no annotation here
