"""Fuzzing by atheris (libFuzzer): bytes that reach new branches are kept and changed further.

libFuzzer never gives its process back, so `run` starts this module as a process of its own.
"""

import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from attrs import frozen

MAX_LENGTH = 4096
"""Of an input, in bytes; of longer seeds libFuzzer takes the beginning."""

FINDINGS = Path(".fuzz")
"""Where inputs that found something are left."""

_PROGRESS = ("INFO", "WARNING", "#", "stat::")
_EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


@frozen
class Outcome:
    """How a run went; `report` is libFuzzer's own, without its lines of progress."""

    executions: int
    found: bool
    report: str


def is_there() -> bool:
    """Whether atheris runs on this machine; it has wheels for some only."""
    return find_spec("atheris") is not None


def run(target: str, seconds: int) -> Outcome:
    """Fuzz until the time is up, or something is found."""
    FINDINGS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        options = [f"-max_total_time={seconds}", f"-max_len={MAX_LENGTH}", f"-artifact_prefix={FINDINGS}/{target}-"]
        command = [sys.executable, "-m", "fuzz.guided", target, corpus, "-print_final_stats=1", "-timeout=10", *options]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603 - ours
    executed = _EXECUTED.search(done.stderr)
    report = "\n".join(line for line in (done.stdout + done.stderr).splitlines() if not line.startswith(_PROGRESS))
    return Outcome(int(executed[1]) if executed else 0, done.returncode != 0, report)


def main(target: str, corpus: str, *options: str) -> None:
    """The process of its own: never returns."""
    import atheris  # noqa: PLC0415 - before anything that is to be watched

    with atheris.instrument_imports(include=["clawgw"]):
        from fuzz.targets import TARGETS  # noqa: PLC0415 - as it is imported, it is instrumented
    from fuzz.seeds import joined, seeds  # noqa: PLC0415 - not instrumented

    for number, texts in enumerate(seeds(target)):
        Path(corpus, f"seed-{number}").write_bytes(joined(target, texts))
    atheris.Setup([sys.argv[0], *options, corpus], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
