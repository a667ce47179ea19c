"""One request end to end: resolve → plan → attempts → answer → record."""

from collections.abc import Mapping
from typing import Protocol

from attrs import frozen

from clawgw.wire.request import Request


@frozen
class Arrival:
    """What a door knows of a request beside its body. `started` is `trio.current_time()`, `now` Unix seconds."""

    request_id: str
    client_request_id: str | None
    started: float
    now: float


class PlainAnswer(Protocol):
    """A whole answer; nothing is left open."""

    headers: Mapping[str, str]
    body: bytes


class StreamAnswer(Protocol):
    """A stream that has committed. Whoever got it calls `close`, always."""

    headers: Mapping[str, str]

    async def receive(self) -> bytes:
        """The next server-sent events for the client, as many as one upstream read brought; b"" after the last.

        A failure upstream arrives as an error event, without `[DONE]`; nothing is raised but Cancelled.
        """

    def close(self) -> None:
        """Write the record; where the stream is not at its end, the client has left: the upstream is aborted."""


class Gateway(Protocol):
    """What the doors call."""

    async def answer(self, request: Request, arrival: Arrival) -> PlainAnswer | StreamAnswer:
        """Serve one checked request. Raises `GatewayError`; cancelling it aborts every attempt and records a 499."""
