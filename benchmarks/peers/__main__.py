"""Measure clawgw beside other gateways, print the tables and write them into docs/benchmarks.md.

    python -m benchmarks.peers [--quick] [--only NAME …] [--without-peers] [--rounds N] [--dry]

Everything runs on loopback and ends by itself. The peers are installed once, into `.bench` beside the sources.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from attrs import evolve, frozen

from benchmarks.peers.clawgw import ROOT
from benchmarks.peers.compiled import Unavailable, compile_programs
from benchmarks.peers.gateways import Gateway
from benchmarks.peers.goals import Findings
from benchmarks.peers.growth import Extent, grow
from benchmarks.peers.load import LoadFailed
from benchmarks.peers.machine import description
from benchmarks.peers.page import goals_text, growth_text, section_text, write
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
    own: Extent
    peers: Extent
    """There are slow ones among them, for which a part of it must do."""


QUICK = Size(3, 1.0, Extent(10_000, 1_000, 20), Extent(10_000, 1_000, 5))
FULL = Size(5, 3.0, Extent(100_000, 10_000, 400), Extent(100_000, 10_000, 30))


def main(arguments: Sequence[str]) -> int:
    """Measure; the exit code."""
    given = parser().parse_args(arguments)
    chosen = QUICK if given.quick else FULL
    size = evolve(chosen, rounds=given.rounds or chosen.rounds)
    CACHE.mkdir(exist_ok=True)
    versions = install([CLAWGW] if given.without_peers else [CLAWGW, *PEERS])
    texts = [preface([f"{gateway.name} {version}" for gateway, version in versions.items()], size)]
    print(*texts)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="run-") as folder, redis_url() as url:
        try:
            bench = Bench(compile_programs(CACHE / "programs"), Path(folder), CACHE)
            for text in measured(bench, [*versions], given.only, size, url):
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
    made.add_argument("--quick", action="store_true", help="a first look: four minutes instead of fifteen")
    made.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, help="measure only these")
    made.add_argument("--without-peers", action="store_true", help="clawgw alone")
    made.add_argument("--rounds", type=int, help="so many instead of 5, or with --quick 3")
    made.add_argument("--dry", action="store_true", help="print only: leave docs/benchmarks.md as it is")
    return made


def install(gateways: Sequence[Gateway]) -> Mapping[Gateway, str]:
    """Those that there are now, with their versions."""
    versions = {}
    for gateway in gateways:
        try:
            versions[gateway] = gateway.install(CACHE)
        except Unavailable as missing:
            print(f"{gateway.name} is left out: {missing}", file=sys.stderr)
    return versions


def measured(
    bench: Bench, gateways: Sequence[Gateway], names: Sequence[str], size: Size, redis: str | None
) -> Iterator[str]:
    """The text of one section after the other, and of the goals last."""
    findings = Findings()
    for section in sections(gateways[1:], tls=bench.programs.tls, redis_url=redis):
        if section.name in names:
            found = findings.figures[section.name] = compete(bench, section, size.rounds, size.seconds)
            yield section_text(section, found)
    if MEMORY in names:
        for gateway in gateways:
            findings.grown[gateway.name] = grow(bench, gateway, size.own if gateway is CLAWGW else size.peers)
        yield growth_text(findings.grown)
    yield goals_text(findings)


def preface(versions: Sequence[str], size: Size) -> str:
    """What was measured where and when, and how often."""
    today = datetime.now(UTC).date()
    times = f"{size.rounds} rounds of {size.seconds:g} s each"
    return f"{', '.join(versions)}; {description()}; {today}; {times}; a load of {os.getloadavg()[0]:.1f} before.\n"


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
