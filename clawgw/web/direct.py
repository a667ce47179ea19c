"""An exchange on a connection of our own, which is HTTP/1.1: nothing between the endpoint and the socket but bytes.

The connection cancels everything when its client leaves, so nobody has to watch for that here.
"""

from collections.abc import Awaitable, Callable, Mapping

import trio
from attrs import define

from clawgw.errors import GatewayError, HeadTooLarge, InvalidRequest
from clawgw.http1.request_head import BadRequest, origin_form, path_of
from clawgw.http1.server_exchange import ServerExchange
from clawgw.web.asgi import Event, Receive, Scope, Send, empty_body_then
from clawgw.web.body import collect
from clawgw.web.exchange import Exchange
from clawgw.web.head import too_large


@define(eq=False)
class DirectExchange(Exchange):
    """A thin one."""

    http1: ServerExchange

    @property
    def method(self) -> str:
        """See `Exchange`."""
        return self.http1.head.method

    @property
    def path(self) -> str:
        """The target's, percent-decoded."""
        return path_of(self.http1.head.target)

    @property
    def started(self) -> bool:
        """See `Exchange`."""
        return self.http1.started

    @property
    def ended(self) -> bool:
        """See `Exchange`."""
        return self.http1.ended

    def close(self) -> None:
        """See `Exchange`."""
        self.http1.closing = True

    async def read_body(self, max_bytes: int, within_s: float) -> bytes:
        """See `Exchange`."""
        try:
            body = self.http1.whole_body()
            if body is None:
                return await collect(self.http1.receive, max_bytes, within_s)
        except BadRequest as error:
            self.close()
            raise refusal(error) from error
        if len(body) > max_bytes:
            raise too_large(max_bytes)
        return body

    def while_there(self, work: Awaitable[None]) -> Awaitable[None]:
        """See `Exchange`."""
        return work

    async def reply(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """See `Exchange`."""
        await self.http1.reply(status, {**self.own_headers(), **headers}, body)

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        """See `Exchange`."""
        await self.http1.start(status, {**self.own_headers(), **headers})

    async def write(self, data: bytes) -> None:
        """See `Exchange`."""
        await self.http1.write(data)

    async def finish(self, data: bytes = b"") -> None:
        """See `Exchange`."""
        await self.http1.finish(data)

    def call_later(self, after_s: float, call: Callable[[], None]) -> Callable[[], None]:
        """See `Exchange`."""
        return self.http1.call_later(after_s, call)

    def start_soon(self, work: Callable[[], Awaitable[None]]) -> None:
        """See `Exchange`."""
        self.http1.start_soon(work)

    def leave(self) -> None:
        """See `Exchange`."""
        self.http1.leave()

    def as_asgi(self, scope: Scope) -> tuple[Scope, Receive, Send]:
        """For an application that wants no body; `scope` is added to ASGI's."""
        head = self.http1.head
        path, _, query = origin_form(head.target).partition(b"?")
        scope = {
            "type": "http",
            "asgi": {"spec_version": "2.1", "version": "3.0"},
            "http_version": head.version,
            "method": head.method,
            "scheme": "http",
            "path": self.path,
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": head.fields,
            "extensions": {},
            **scope,
        }
        return scope, empty_body_then(_never), self._send

    async def _send(self, event: Event) -> None:
        if event["type"] == "http.response.start":
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in event["headers"]}
            await self.start(event["status"], headers)
        elif event.get("more_body", False):
            await self.write(event.get("body", b""))
        else:
            await self.finish(event.get("body", b""))


def refusal(error: BadRequest) -> GatewayError:
    """What the client is told."""
    return (HeadTooLarge if error.status == HeadTooLarge.status else InvalidRequest)(error.message)


async def _never() -> Event:
    await trio.sleep_forever()
