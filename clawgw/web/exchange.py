"""One HTTP request and its answer, as the endpoints see it, whatever protocol it came over.

`web.direct` is one on a connection of our own, `web.asgi` one of hypercorn's.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping

from attrs import define

from clawgw.engine.arrival import Arrival
from clawgw.errors import GatewayError
from clawgw.web.error_body import error_event, error_headers, error_json
from clawgw.web.head import Headers

log = logging.getLogger("clawgw")


@define(eq=False)
class Exchange(ABC):
    """The answer's head is completed by who we are. A client that leaves cancels what is done for it."""

    arrival: Arrival
    headers: Headers

    @property
    @abstractmethod
    def method(self) -> str:
        """In capital letters."""

    @property
    @abstractmethod
    def started(self) -> bool:
        """Whether the answer has begun."""

    @property
    @abstractmethod
    def ended(self) -> bool:
        """Whether it has ended."""

    @abstractmethod
    def close(self) -> None:
        """The connection ends with this answer, whatever becomes of the body; to be said before it begins."""

    @abstractmethod
    async def read_body(self, max_bytes: int, within_s: float) -> bytes:
        """The whole body. Raises `BodyTooLarge`, `RequestTimeout`, `InvalidRequest`; `ClientClosed`."""

    @abstractmethod
    def while_there(self, work: Awaitable[None]) -> Awaitable[None]:
        """Some work, as long as there is a client; the rest of the body is dropped."""

    @abstractmethod
    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Begin the answer; something must follow."""

    @abstractmethod
    async def write(self, data: bytes) -> None:
        """Send a part of the body; more will follow."""

    @abstractmethod
    async def finish(self, data: bytes = b"") -> None:
        """Send the last part of the body."""

    @abstractmethod
    def call_later(self, after_s: float, call: Callable[[], None]) -> Callable[[], None]:
        """Call `call` after so many seconds, unless what is returned is called before. Only while there is work."""

    @abstractmethod
    def start_soon(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something beside the work."""

    @abstractmethod
    def leave(self) -> None:
        """Take the client for gone."""

    async def reply(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Send a whole answer."""
        await self.start(status, {**headers, "content-length": str(len(body))})
        await self.finish(body)

    async def refuse(self, error: GatewayError, headers: Mapping[str, str] | None = None) -> None:
        """`fail`, where no work is under way; nothing, where the answer has ended."""
        if not self.ended:
            await self.while_there(self.fail(error, headers))

    async def fail(self, error: GatewayError, headers: Mapping[str, str] | None = None) -> None:
        """Send an error: as the answer, or as the last event of a stream that has begun."""
        request_id = self.arrival.request_id
        log.log(error.log_level, "%s %d %s", request_id, error.status, error.code or error.type)
        if self.started:
            await self.finish(error_event(error, request_id))
        else:
            await self.reply(error.status, error_headers(error) | dict(headers or {}), error_json(error, request_id))

    def own_headers(self) -> dict[str, str]:
        """What every answer says of itself, where it says nothing else."""
        arrival = self.arrival
        own = {"x-request-id": arrival.request_id, "x-clawgw-config": arrival.live.snapshot.version}
        if arrival.client_request_id is not None:
            own["x-client-request-id"] = arrival.client_request_id
        return own
