"""What a worker process gets from its supervisor, beside the same command line, and how the two talk.

The supervisor says orders on the worker's standard input, a line of JSON each, and every order is answered by one line
on the worker's standard output: a list of mistakes, empty where all is well. The end of the standard input tells the
worker that the supervisor is gone.

- `serve`, the first order: serve the configuration that these files hold. Answered when requests are taken.
- `prepare`: load the configuration that these files hold, beside what serves.
- `swap`, `keep`: serve what was prepared, or forget it.
- `beat`: nothing is to be done; whoever answers is alive.

Workers get what the supervisor has read and read nothing themselves, so that all of them always serve the same.
"""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Literal, Self

from attrs import asdict, field, frozen

from clawgw.config.mistakes import Mistake
from clawgw.serve.readings import Readings
from clawgw.web.exposition import Reloads

VARIABLE = "CLAWGW_WORKER"


@frozen
class Inheritance:
    """The listening sockets' file descriptors, that of the table of limits, and the name of this run."""

    fds: Sequence[int]
    limits_fd: int
    instance: str
    metrics_fds: Sequence[int] = field(factory=list)
    """Those of the sockets of `metrics.bind`."""

    def environment(self) -> dict[str, str]:
        """The variable to start a worker with."""
        return {VARIABLE: json.dumps(asdict(self))}


def inherited(environment: Mapping[str, str] = os.environ) -> Inheritance | None:
    """What this process inherits, where it is a worker."""
    text = environment.get(VARIABLE)
    return None if text is None else Inheritance(**json.loads(text))


@frozen
class Order:
    """`readings` come with `serve` and `prepare`, the reloads so far with `serve`, `swap` and `keep`."""

    verb: Literal["serve", "prepare", "swap", "keep", "beat"]
    readings: Readings = field(factory=Readings)
    reloads: Reloads = field(factory=Reloads)

    def line(self) -> bytes:
        """As it is sent."""
        order = {"verb": self.verb, "readings": self.readings.as_json(), "reloads": asdict(self.reloads)}
        return json.dumps(order).encode() + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> Self:
        """As it came."""
        order = json.loads(line)
        return cls(order["verb"], Readings.of_json(order["readings"]), Reloads(**order["reloads"]))


def answer_line(mistakes: Sequence[Mistake]) -> bytes:
    """An answer as it is sent."""
    return json.dumps([asdict(mistake) for mistake in mistakes]).encode() + b"\n"


def parse_answer(line: bytes) -> Sequence[Mistake]:
    """An answer as it came."""
    return tuple(Mistake(**mistake) for mistake in json.loads(line))


def take_pipes() -> tuple[int, int]:
    """The pipes to read orders from and to write answers to, for this worker alone.

    A policy that prints does so on standard error from now on, and one that reads standard input finds nothing.
    """
    pipes = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return pipes
