"""`python -m fuzz --seconds N [--target NAME]`: fuzz every parser, or one; exit with 1 where something is found.

The time is shared by all targets, and of each target half is hypothesis's and half atheris's.
"""

import argparse
import os
import sys
import traceback
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from fuzz import generated, guided
from fuzz.targets import TARGETS

MIN_SECONDS = 2
"""Less than this for one run, and starting up is all it does."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Fuzz the parsers.")
    parser.add_argument(
        "--seconds", type=int, default=60, help="how long, over all (at least 4 a target and processor)"
    )
    parser.add_argument("--target", choices=sorted(TARGETS), help="only this one")
    options = parser.parse_args()
    names = [options.target] if options.target else list(TARGETS)
    processors = os.cpu_count() or 1
    seconds = max(MIN_SECONDS, options.seconds * min(processors, len(names)) // (2 * len(names)))
    with ProcessPoolExecutor(processors) as pool:
        return max(pool.map(partial(_fuzz, seconds=seconds), names))


def _fuzz(target: str, seconds: int) -> int:
    """One target by both; prints its counts; 1 where something was found."""
    found = []
    try:
        by_hypothesis = generated.run(target, seconds)
    except Exception:  # noqa: BLE001 - whatever a target raises is a finding
        by_hypothesis = 0
        found.append(traceback.format_exc())
    outcome = guided.run(target, seconds) if guided.is_there() else guided.Outcome(0, found=False, report="")
    if outcome.found:
        found.append(outcome.report)
    print(f"{target:20} hypothesis {by_hypothesis:8}  atheris {outcome.executions:8}  {len(found)} findings")  # noqa: T201 - a command prints
    for report in found:
        print(report, file=sys.stderr)  # noqa: T201 - a command prints
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
