"""The machine that measures: what it is, and which of its cores does what."""

import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from attrs import frozen

CPUINFO = Path("/proc/cpuinfo")


@frozen
class Cores:
    """Which do what, by number; `rest` is for whatever else a gateway starts."""

    rest: int
    gateway: Sequence[int]
    load: int
    upstream: int

    @classmethod
    def apart(cls, usable: Sequence[int]) -> Self:
        """One core for each; with fewer than four, some have two duties."""
        rest, gateway, load, upstream = (usable[duty % len(usable)] for duty in range(4))
        return cls(rest, [gateway], load, upstream)

    @classmethod
    def for_workers(cls, usable: Sequence[int]) -> Self:
        """All but the first for the gateway."""
        return cls(usable[0], usable[1:] or usable, usable[0], usable[0])


def usable_cores() -> Sequence[int]:
    """Their numbers."""
    return sorted(os.sched_getaffinity(0))


@contextmanager
def on(*cores: int) -> Iterator[None]:
    """What is started inside stays on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def description() -> str:
    """Processor, cores, system and Python in one line."""
    models = [
        line.partition(":")[2].strip() for line in CPUINFO.read_text().splitlines() if line.startswith("model name")
    ]
    processor = models[0] if models else platform.machine()
    system = f"{platform.system()} {platform.release()}"
    return f"{len(usable_cores())} cores of {processor}, {system}, Python {platform.python_version()}"
