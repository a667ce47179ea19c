"""What a protocol asks of a connection, with TLS or without."""

import math
from typing import Protocol


class Link(Protocol):
    """A connection to a peer, on which a wait may be given up and taken up again: nothing is lost, or sent twice.

    Waits raise `trio.TooSlowError` where `until` (a `trio.current_time()`) comes first, and `trio.BrokenResourceError`
    where the connection is broken, or cut by another task.
    """

    @property
    def sent_bytes(self) -> int:
        """How much the system has taken to send since the connection was made, TLS's own included."""

    def send(self, data: bytes) -> None:
        """Keep the data for the next `flush`."""

    async def flush(self, until: float = math.inf) -> None:
        """Send what is kept. It waits no longer than the peer makes it, and is no checkpoint otherwise."""

    async def receive(self, until: float = math.inf) -> bytes:
        """What one read brings; b"" at the end. It is a checkpoint."""

    def is_quiet(self) -> bool:
        """Whether nothing has come unasked: bytes, or the peer's end of the connection."""

    def cut(self) -> None:
        """Close now: beneath TLS, without its goodbye. The peer sees a reset. Harmless when called again."""

    def is_cut(self) -> bool:
        """Whether `cut` has been called."""
