"""What a gateway holds after many requests, and after many clients that left in the middle of a stream."""

import time

from attrs import frozen

from benchmarks.peers.gateways import Gateway
from benchmarks.peers.load import Load
from benchmarks.peers.machine import Cores, usable_cores
from benchmarks.peers.messages import DRIP, PLAIN
from benchmarks.peers.processes import Reading
from benchmarks.peers.rounds import Bench

SETTLE_S = 1.0
"""How long a gateway has to notice that its clients have left. A stream of the mock upstream would take 5 s."""


@frozen
class Extent:
    """So many; `most_s` is for the first tenth of the requests, for the rest, and for the streams each."""

    requests: int
    streams: int
    most_s: float


@frozen
class Growth:
    """How many there were, and what was held at the start, after a tenth of the requests, after all, and at the end."""

    requests: int
    streams: int
    start: Reading
    tenth: Reading
    requested: Reading
    end: Reading
    still_running: int
    """Streams that the upstream still sends."""


def grow(bench: Bench, gateway: Gateway, extent: Extent) -> Growth:
    """Measure a gateway of its own. Raises `LoadFailed`, and `Unavailable` where it does not start."""
    cores, name = Cores.apart(usable_cores()), f"memory-{gateway.name}"
    with bench.upstreams(name, cores) as upstreams, bench.open(name, gateway, upstreams, cores) as door:

        def requested(count: int) -> int:
            return bench.ask(door, "plain", PLAIN, Load(64, extent.most_s, count), cores).answers

        start = door.read()
        first = requested(extent.requests // 10)
        tenth = door.read()
        rest = requested(extent.requests - first)
        middle = door.read()
        left = bench.ask(door, "plain", DRIP, Load(64, extent.most_s, extent.streams, leave=True), cores).left
        time.sleep(SETTLE_S)
        return Growth(first + rest, left, start, tenth, middle, door.read(), upstreams.running())
