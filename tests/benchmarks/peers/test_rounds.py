"""All together, with a `clawgw serve` of its own and the programs in C, for a moment."""

from pathlib import Path

import pytest

from benchmarks.peers import rounds
from benchmarks.peers.compiled import compile_programs
from benchmarks.peers.figures import ADDED_P50, CPU, DIRECT, RATE
from benchmarks.peers.growth import Extent, grow
from benchmarks.peers.messages import burst
from benchmarks.peers.rounds import Bench, compete
from benchmarks.peers.sections import CLAWGW, Contender, Section, Trial

CONTENDERS = [Contender(DIRECT, None), Contender("clawgw", CLAWGW), Contender("hedged", CLAWGW, "hedged")]
SECTION = Section("plain", "A moment", CONTENDERS, [Trial(burst(3), 4, [RATE, CPU, ADDED_P50])], "clawgw")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(compile_programs(tmp_path / "programs"), tmp_path, tmp_path)


def test_contenders_are_measured_in_rounds(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "WARM_UP_S", 0.1)
    figures = compete(bench, SECTION, rounds=2, seconds=0.2)
    assert figures.spread(RATE, DIRECT).least > figures.spread(RATE, "clawgw").most > 0
    assert figures.spread(CPU, DIRECT).most == 0
    assert figures.spread(ADDED_P50, "hedged").least > 0


def test_what_a_gateway_holds_in_the_end(bench: Bench) -> None:
    growth = grow(bench, CLAWGW, Extent(requests=40, streams=10, most_s=20))
    assert (growth.requests, growth.streams, growth.still_running) == (40, 10, 0)
    assert 20 < growth.start.rss_mib < growth.end.rss_mib < 1000
    assert growth.start.fds > 3
