"""A gateway that is measured: how it is started, asked and read."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import field, frozen

from benchmarks.peers.compiled import Unavailable
from benchmarks.peers.machine import Cores
from benchmarks.peers.processes import OUTPUT, Reading, free_port, move, reading, running, settled_family
from benchmarks.peers.upstream import Upstreams, get

START_S = 90


@frozen
class Site:
    """What a gateway is given: a folder of its own, its port, the upstreams, and the cache of installations."""

    folder: Path
    port: int
    upstreams: Upstreams
    cache: Path


@frozen
class Launch:
    """What to run. `asks`: the model to ask for and the headers to send, by the way to the upstream."""

    command: Sequence[str]
    environment: Mapping[str, str]
    asks: Mapping[str, tuple[str, Mapping[str, str]]]
    is_aside: Callable[[int], bool] = lambda _pid: False
    """Whether a process that the gateway has started is none that answers, and is not to share its core."""


@frozen
class Gateway:
    """One to measure. `install` puts it into the cache and tells its version; both may raise `Unavailable`."""

    name: str
    install: Callable[[Path], str]
    launch: Callable[[Site], Launch]


@frozen
class Door:
    """Where a running gateway is asked. `pid` None: it is the upstream itself."""

    port: int
    asks: Mapping[str, tuple[str, Mapping[str, str]]]
    pids: Sequence[int] = field(factory=tuple)
    aside: Sequence[int] = field(factory=tuple)

    def read(self) -> Reading:
        """Of all processes that answer."""
        return _sum(self.pids)

    def read_aside(self) -> Reading:
        """Of the others."""
        return _sum(self.aside)


def _sum(pids: Sequence[int]) -> Reading:
    readings = [reading(pid) for pid in pids]
    return Reading(sum(r.cpu_s for r in readings), sum(r.rss_mib for r in readings), sum(r.fds for r in readings))


def direct(upstreams: Upstreams) -> Door:
    """No gateway at all: the ceiling."""
    return Door(upstreams.ports["plain"], {"plain": ("bench", {})})


@contextmanager
def opened(gateway: Gateway, folder: Path, upstreams: Upstreams, cores: Cores, cache: Path) -> Iterator[Door]:
    """A gateway that has started to answer. Raises `Unavailable` where it does not."""
    folder.mkdir(parents=True)
    site = Site(folder, free_port(), upstreams, cache)
    launch = gateway.launch(site)
    with running(launch.command, launch.environment, folder, cores.gateway) as process:
        _wait_for(site, lambda: process.poll() is None, gateway.name)
        pids = settled_family(process.pid)
        aside = [pid for pid in pids if launch.is_aside(pid)]
        for pid in aside:
            move(pid, cores.rest)
        yield Door(site.port, launch.asks, [pid for pid in pids if pid not in aside], aside)


def _wait_for(site: Site, runs: Callable[[], bool], name: str) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and runs():
        try:
            get(site.port)
        except OSError:
            time.sleep(0.1)
        else:
            return
    said = (site.folder / OUTPUT).read_text(errors="replace")[-2000:]
    raise Unavailable(f"{name} does not start; it said:\n{said}")
