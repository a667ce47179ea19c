"""Measure clawgw beside other gateways, print the tables and write them into docs/benchmarks.md.

    python -m benchmarks.peers [--quick] [--only NAME …] [--without-peers] [--rounds N] [--dry]

Everything runs on loopback and ends by itself. The peers are installed once, into `.bench` beside the sources.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from attrs import evolve, frozen

from benchmarks.peers.clawgw import ROOT
from benchmarks.peers.compiled import Unavailable, compile_programs
from benchmarks.peers.gateways import Gateway
from benchmarks.peers.growth import Extent, grow
from benchmarks.peers.load import LoadFailed
from benchmarks.peers.machine import description
from benchmarks.peers.page import growth_text, section_text, write
from benchmarks.peers.rounds import Bench, compete
from benchmarks.peers.sections import CLAWGW, PEERS, sections
from tests.limits.redis.server import PROGRAM, RedisServer

CACHE = ROOT / ".bench"
PAGE = ROOT / "docs" / "benchmarks.md"
MEMORY = "memory"
NAMES = ("plain", "tls", "hedge", "workers", "redis", MEMORY)


@frozen
class Size:
    """How much to measure."""

    rounds: int
    seconds: float
    extent: Extent


QUICK = Size(3, 1.0, Extent(10_000, 1_000, 10))
FULL = Size(5, 3.0, Extent(100_000, 10_000, 60))


def main(arguments: Sequence[str]) -> int:
    """Measure; the exit code."""
    given = parser().parse_args(arguments)
    size = QUICK if given.quick else FULL
    size = evolve(size, rounds=given.rounds or size.rounds)
    CACHE.mkdir(exist_ok=True)
    versions, gateways = {}, []
    for gateway in (CLAWGW, *([] if given.without_peers else PEERS)):
        try:
            versions[gateway.name] = gateway.install(CACHE)
            gateways.append(gateway)
        except Unavailable as missing:
            print(f"{gateway.name} is left out: {missing}", file=sys.stderr)
    print(preface(versions, size, datetime.now(UTC).date()))
    texts = [preface(versions, size, datetime.now(UTC).date())]
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="run-") as folder, redis_url() as url:
        try:
            bench = Bench(compile_programs(CACHE / "programs"), Path(folder), CACHE)
            for text in measured(bench, gateways, given.only or NAMES, size, url):
                print(text, flush=True)
                texts.append(text)
        except (Unavailable, LoadFailed) as failure:
            print(failure, file=sys.stderr)
            return 1
    if not given.dry:
        write(PAGE, "\n".join(texts))
    return 0


def parser() -> argparse.ArgumentParser:
    """Of the command line."""
    made = argparse.ArgumentParser(prog="just bench", description="Measure clawgw beside other gateways.")
    made.add_argument("--quick", action="store_true", help="three minutes instead of fifteen, for a first look")
    made.add_argument("--only", nargs="+", choices=NAMES, help="measure only these")
    made.add_argument("--without-peers", action="store_true", help="clawgw alone")
    made.add_argument("--rounds", type=int, help="so many instead of 5, or with --quick 3")
    made.add_argument("--dry", action="store_true", help="print only: leave docs/benchmarks.md as it is")
    return made


def measured(
    bench: Bench, gateways: Sequence[Gateway], names: Sequence[str], size: Size, redis: str | None
) -> Iterator[str]:
    """The text of one section after the other."""
    for section in sections(gateways[1:], tls=bench.programs.tls, redis_url=redis):
        if section.name in names:
            yield section_text(section, compete(bench, section, size.rounds, size.seconds))
    if MEMORY in names:
        yield growth_text({gateway.name: grow(bench, gateway, size.extent) for gateway in gateways})


def preface(versions: dict[str, str], size: Size, today: date) -> str:
    """What was measured where, and how often."""
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{named}. {description()}, {today}. {size.rounds} rounds of {size.seconds:g} s each.\n"


@contextmanager
def redis_url() -> Iterator[str | None]:
    """A redis-server of its own, where there is one."""
    if PROGRAM is None:
        print("limits in Redis are left out: there is no redis-server", file=sys.stderr)
        yield None
        return
    server = RedisServer(PROGRAM)
    try:
        yield server.url
    finally:
        server.close()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
