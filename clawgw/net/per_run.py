"""What there is one of in a run of Trio's, with a task that runs for as long as the run does."""

from collections.abc import Callable
from typing import Protocol, TypeVar

import trio


class Runs(Protocol):
    """Something with such a task."""

    async def run(self) -> None:
        """For ever. It must not raise: that would end the run."""


RunsT = TypeVar("RunsT", bound=Runs)


def one_per_run(make: Callable[[], RunsT]) -> Callable[[], RunsT]:
    """A function that gives that of the run; the first to ask starts it."""
    of_this_run: trio.lowlevel.RunVar[RunsT] = trio.lowlevel.RunVar(repr(make))

    def give() -> RunsT:
        try:
            return of_this_run.get()
        except LookupError:
            started = make()
            of_this_run.set(started)
            trio.lowlevel.spawn_system_task(started.run)
            return started

    return give
