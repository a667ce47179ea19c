"""What a worker process gets from its supervisor, beside the same command line.

Its standard output tells the supervisor that it is ready; the end of its standard input, that the supervisor is gone.
"""

import json
import os
from collections.abc import Mapping, Sequence

from attrs import asdict, frozen

VARIABLE = "CLAWGW_WORKER"
READY = b"ready\n"


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
