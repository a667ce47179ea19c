"""What is measured: who competes in what, as data."""

from collections.abc import Callable, Sequence

from attrs import frozen

from benchmarks.peers.clawgw import clawgw
from benchmarks.peers.figures import ADDED_FIRST, ADDED_P50, ADDED_P99, ASIDE, CPU, DIRECT, EVENTS, RATE, Figure
from benchmarks.peers.gateways import Gateway
from benchmarks.peers.litellm import LITELLM
from benchmarks.peers.machine import Cores
from benchmarks.peers.messages import PLAIN, Question, burst
from benchmarks.peers.portkey import PORTKEY

CLAWGW = clawgw()
"""The one that is compared."""
PEERS = (LITELLM, PORTKEY)


@frozen
class Contender:
    """A gateway and the way to its upstream. None: no gateway."""

    name: str
    gateway: Gateway | None
    way: str = "plain"


@frozen
class Trial:
    """A load, and what is read off it."""

    question: Question
    in_flight: int
    figures: Sequence[Figure]


THROUGHPUT = Trial(PLAIN, 64, [RATE, CPU, ASIDE])
ALONE = Trial(PLAIN, 1, [ADDED_P50, ADDED_P99])
FIRST_TOKEN = Trial(burst(20), 1, [ADDED_FIRST])
BURSTS = Trial(burst(1000), 8, [EVENTS])


@frozen
class Section:
    """Contenders that take turns in the same trials. `base`: the one that the others are compared with."""

    name: str
    title: str
    contenders: Sequence[Contender]
    trials: Sequence[Trial]
    base: str
    cores: Callable[[Sequence[int]], Cores] = Cores.apart


def sections(peers: Sequence[Gateway], *, tls: bool, redis_url: str | None) -> Sequence[Section]:
    """Those that can be measured with these peers, an upstream with TLS or without, and a Redis or none."""
    gateways = (CLAWGW, *peers)
    plain = [Contender(DIRECT, None), *(Contender(one.name, one) for one in gateways)]
    secret = [Contender(one.name, one, "tls") for one in gateways]
    routes = [Contender("no hedge", CLAWGW, "one"), Contender("a hedge after 2 s", CLAWGW, "hedged")]
    return [
        Section("plain", "Side by side", plain, [THROUGHPUT, ALONE, FIRST_TOKEN, BURSTS], CLAWGW.name),
        *([Section("tls", "Upstream with TLS", secret, [THROUGHPUT], CLAWGW.name)] if tls else []),
        Section("hedge", "A hedge that does not fire", routes, [THROUGHPUT], "a hedge after 2 s"),
        _workers(),
        *([_redis(redis_url)] if redis_url else []),
    ]


def _workers() -> Section:
    one, three = clawgw("one worker"), clawgw("three workers", workers=3)
    contenders = [Contender(gateway.name, gateway) for gateway in (one, three)]
    return Section("workers", "Workers", contenders, [THROUGHPUT], three.name, Cores.for_workers)


def _redis(url: str) -> Section:
    shared = clawgw("limits in Redis", limits=f'store = "redis"\nredis_url = "{url}"')
    memory = clawgw("limits in memory")
    contenders = [Contender(DIRECT, None), *(Contender(gateway.name, gateway) for gateway in (memory, shared))]
    return Section("redis", "Limits in Redis", contenders, [THROUGHPUT, ALONE], shared.name)
