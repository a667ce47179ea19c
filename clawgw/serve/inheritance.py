"""What a worker process gets from its supervisor, beside the same command line, and how the two talk.

The supervisor says orders on the worker's standard input, a line each, and every order is answered by one line on the
worker's standard output: a JSON list of mistakes, empty where all is well. The end of the standard input tells the
worker that the supervisor is gone.

- `serve READINGS`, the first order: serve the configuration that these files hold. Answered when requests are taken.
- `prepare READINGS`: load the configuration that these files hold, beside what serves.
- `swap`, `keep`: serve what was prepared, or forget it.

Workers get what the supervisor has read and read nothing themselves, so that all of them always serve the same.
"""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Literal

from attrs import asdict, frozen

from clawgw.config.mistakes import Mistake
from clawgw.serve.readings import Readings

VARIABLE = "CLAWGW_WORKER"

Verb = Literal["serve", "prepare", "swap", "keep"]


@frozen
class Inheritance:
    """The listening sockets' file descriptors, and the name of this run."""

    fds: Sequence[int]
    instance: str

    def environment(self) -> dict[str, str]:
        """The variable to start a worker with."""
        return {VARIABLE: json.dumps(asdict(self))}


def inherited(environment: Mapping[str, str] = os.environ) -> Inheritance | None:
    """What this process inherits, where it is a worker."""
    text = environment.get(VARIABLE)
    return None if text is None else Inheritance(**json.loads(text))


def order_line(verb: Verb, readings: Readings | None = None) -> bytes:
    """An order as it is sent."""
    return b"%s %s\n" % (verb.encode(), b"" if readings is None else readings.to_json())


def parse_order(line: bytes) -> tuple[str, Readings]:
    """An order as it came; without readings in it, they are empty."""
    verb, _, readings = line.partition(b" ")
    return verb.decode(), Readings.from_json(readings or b"{}")


def answer_line(mistakes: Sequence[Mistake]) -> bytes:
    """An answer as it is sent."""
    return json.dumps([asdict(mistake) for mistake in mistakes]).encode() + b"\n"


def parse_answer(line: bytes) -> Sequence[Mistake]:
    """An answer as it came."""
    return tuple(Mistake(**mistake) for mistake in json.loads(line))
