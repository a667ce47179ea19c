"""Contenders in turns: each trial of each round meets all of them, in an order that alternates."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from attrs import frozen

from benchmarks.peers.compiled import Programs
from benchmarks.peers.figures import Figures, Outcome
from benchmarks.peers.gateways import Door, Gateway, direct, opened
from benchmarks.peers.load import Load, Result, apply
from benchmarks.peers.machine import Cores, usable_cores
from benchmarks.peers.messages import Question, request
from benchmarks.peers.sections import Contender, Section, Trial
from benchmarks.peers.upstream import Upstreams, serving

WARM_UP_S = 1.0


@frozen
class Bench:
    """What all measuring needs: the programs, a folder for this run, and the cache of installations."""

    programs: Programs
    folder: Path
    cache: Path

    @contextmanager
    def upstreams(self, name: str, cores: Cores) -> Iterator[Upstreams]:
        """For what is measured under a name."""
        folder = self.folder / name
        folder.mkdir()
        with serving(self.programs, cores.upstream, folder) as upstreams:
            yield upstreams

    @contextmanager
    def open(self, name: str, gateway: Gateway, upstreams: Upstreams, cores: Cores) -> Iterator[Door]:
        """A gateway for what is measured under a name."""
        with opened(gateway, self.folder / name / gateway.name, upstreams, cores, self.cache) as door:
            yield door

    def ask(self, door: Door, way: str, question: Question, load: Load, cores: Cores) -> Result:
        """Load on one door."""
        message = request(question, *door.asks[way])
        return apply(self.programs.load, cores.load, door.port, message, load, question.tokens)


def compete(bench: Bench, section: Section, rounds: int, seconds: float) -> Figures:
    """Measure a section. Raises `LoadFailed`, and `Unavailable` where a gateway does not start."""
    cores, figures = section.cores(usable_cores()), Figures()
    with ExitStack() as running:
        upstreams = running.enter_context(bench.upstreams(section.name, cores))
        gateways = {one.gateway for one in section.contenders if one.gateway}
        doors: dict[Gateway | None, Door] = {None: direct(upstreams)}
        for gateway in gateways:
            doors[gateway] = running.enter_context(bench.open(section.name, gateway, upstreams, cores))

        def outcome(one: Contender, trial: Trial, load: Load) -> Outcome:
            return measure(bench, doors[one.gateway], one.way, trial.question, load, cores)

        for number in range(rounds + 1):  # the first warms up
            order = section.contenders[:: -1 if number % 2 else 1]
            for trial in section.trials:
                load = Load(trial.in_flight, seconds if number else WARM_UP_S)
                outcomes = {one.name: outcome(one, trial, load) for one in order}
                if number:
                    figures.note(trial.figures, outcomes)
    return figures


def measure(bench: Bench, door: Door, way: str, question: Question, load: Load, cores: Cores) -> Outcome:
    """One load, and what it has cost."""
    before, before_aside = door.read(), door.read_aside()
    result = bench.ask(door, way, question, load, cores)
    return Outcome(result, door.read().cpu_s - before.cpu_s, door.read_aside().cpu_s - before_aside.cpu_s)
