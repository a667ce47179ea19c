"""Where clawgw's time goes under load: `python -m benchmarks.peers.profile [plain|stream|tls]` (`just profile`).

py-spy looks at the one process 100 times a second, from outside: more often would slow it down. It is
installed into an environment of its own. A thread that waits for the disk (`Journal.sync`) looks as if it worked.
"""

import argparse
import math
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from attrs import frozen

from benchmarks.peers.clawgw import ROOT
from benchmarks.peers.compiled import Unavailable, compile_programs
from benchmarks.peers.figures import Outcome
from benchmarks.peers.installing import install_python
from benchmarks.peers.load import Load, LoadFailed
from benchmarks.peers.machine import Cores, on, usable_cores
from benchmarks.peers.messages import PLAIN, burst
from benchmarks.peers.rounds import WARM_UP_S, Bench, measure
from benchmarks.peers.sections import CLAWGW

CACHE = ROOT / ".bench"
PY_SPY = "0.4.3"
RATE = 100
IDLE = "WorkerThread._work (trio/_core/_thread_cache.py)"
"""A thread that waits for work; py-spy takes it for one that works."""
LOADS = {"plain": ("plain", PLAIN, 64), "tls": ("tls", PLAIN, 64), "stream": ("plain", burst(1000), 8)}


@frozen
class Stacks:
    """How often each stack was seen at work, its outermost frame first; a frame is `function (file:line)`."""

    counts: Mapping[tuple[str, ...], int]

    @classmethod
    def of(cls, text: str) -> Self:
        """Of py-spy's raw format: `frame;frame;frame count` a line."""
        lines = [line.rpartition(" ") for line in text.splitlines()]
        counts = {tuple(frames.split(";")): int(count) for frames, _, count in lines}
        return cls({frames: count for frames, count in counts.items() if function(frames[-1]) != IDLE})

    @property
    def total(self) -> int:
        """Of all samples."""
        return sum(self.counts.values())

    def innermost(self) -> Counter[str]:
        """By the function that ran."""
        return self._counted(lambda frames: {function(frames[-1])})

    def anywhere(self) -> Counter[str]:
        """By every function that ran or waited for one that did."""
        return self._counted(lambda frames: {function(frame) for frame in frames})

    def files(self) -> Counter[str]:
        """By the file of the function that ran."""
        return self._counted(lambda frames: {file(frames[-1])})

    def packages(self) -> Counter[str]:
        """By the first two folders of that file; a module without one counts by itself."""
        return self._counted(lambda frames: {package(file(frames[-1]))})

    def _counted(self, names: Callable[[Sequence[str]], Iterable[str]]) -> Counter[str]:
        counter = Counter[str]()
        for frames, count in self.counts.items():
            for name in names(frames):
                counter[name] += count
        return counter


def function(frame: str) -> str:
    """A frame without its line."""
    return frame.rpartition(":")[0] + ")" if ":" in frame else frame


def file(frame: str) -> str:
    """A frame's file alone."""
    return function(frame).rpartition("(")[2].rstrip(")")


def package(path: str) -> str:
    """The first two folders of a file, or the file where it lies in none."""
    *folders, name = path.split("/")
    return "/".join(folders[:2]) or name


def sampled(cache: Path, name: str, seconds: float) -> tuple[Outcome, Stacks]:
    """What the load came to, and where it was spent. Raises `Unavailable`, and `LoadFailed`."""
    way, question, in_flight = LOADS[name]
    py_spy = install_py_spy(cache)
    cores = Cores.apart(usable_cores())
    with tempfile.TemporaryDirectory(dir=cache, prefix="profile-") as folder:
        bench = Bench(compile_programs(cache / "programs"), Path(folder), cache)
        with bench.upstreams(name, cores) as upstreams, bench.open(name, CLAWGW, upstreams, cores) as door:
            measure(bench, door, way, question, Load(in_flight, WARM_UP_S), cores)
            raw = Path(folder) / "raw"
            watching = [str(py_spy), "record", "--pid", str(door.pids[0]), "--rate", str(RATE), "--format", "raw"]
            span = ["--duration", str(math.ceil(seconds)), "--output", str(raw)]
            with on(cores.rest):
                process = subprocess.Popen([*watching, *span], stdout=subprocess.DEVNULL)  # noqa: S603 - our own words
            with process:
                outcome = measure(bench, door, way, question, Load(in_flight, seconds), cores)
            if process.returncode:
                raise Unavailable("py-spy cannot look into another process: run as root")
            return outcome, Stacks.of(raw.read_text())


def install_py_spy(cache: Path) -> Path:
    """The program. Raises `Unavailable`."""
    folder = cache / f"py-spy-{PY_SPY}"
    install_python(folder, f"py-spy=={PY_SPY}")
    return folder / "bin" / "py-spy"


def main(arguments: Sequence[str]) -> int:
    """Print what takes longest; the exit code."""
    parser = argparse.ArgumentParser(prog="just profile", description="Where clawgw's time goes under load.")
    parser.add_argument("load", nargs="?", choices=LOADS, default="plain", help="what is asked (default: plain)")
    parser.add_argument("--seconds", type=float, default=10, help="for how long (default: 10)")
    parser.add_argument("--lines", type=int, default=40, help="rows of each table (default: 40)")
    given = parser.parse_args(arguments)
    CACHE.mkdir(exist_ok=True)
    try:
        outcome, stacks = sampled(CACHE, given.load, given.seconds)
    except (Unavailable, LoadFailed) as failure:
        print(failure, file=sys.stderr)
        return 1
    print(f"{outcome.result.answers / outcome.result.seconds:.0f} answers/s while looked at")
    for title, counts in {
        "itself": stacks.innermost(),
        "with its callees": stacks.anywhere(),
        "by file": stacks.files(),
        "by package": stacks.packages(),
    }.items():
        print(f"\n{title}")
        for name, count in counts.most_common(given.lines):
            print(f"{count / stacks.total:6.1%}  {name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
