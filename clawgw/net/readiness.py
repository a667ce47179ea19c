"""Which sockets can be read: asked of the system for all of them together, and each is announced once.

Trio's own `wait_readable` tells the system of every wait, and wakes a task for it. Here a socket stays announced for as
long as anybody cares, and what can be read is a call: of many sockets that have something, one task of Trio's is woken.
"""

import selectors
from collections.abc import Callable

import trio
from attrs import define, field

from clawgw.net.per_run import one_per_run


@define(eq=False)
class Readiness:
    """All sockets of one run of Trio's; `readiness` gives it."""

    _selector: selectors.DefaultSelector = field(init=False, factory=selectors.DefaultSelector, repr=False)

    def watch(self, fd: int, ready: Callable[[], None]) -> None:
        """Call `ready`, which must not raise, whenever and as long as there is something to read, or the end."""
        self._selector.register(fd, selectors.EVENT_READ, ready)

    def unwatch(self, fd: int) -> None:
        """No more. To be said before a socket that is watched is closed."""
        self._selector.unregister(fd)

    async def run(self) -> None:
        """For ever."""
        with self._selector as selector:
            while True:
                await trio.lowlevel.wait_readable(selector.fileno())
                for key, _ in selector.select(0):
                    key.data()


readiness = one_per_run(Readiness)
