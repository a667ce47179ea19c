"""The server side of HTTP/1.1, apart from who accepts the connections (`serve.door`) and who answers (`web.app`)."""

import trio
from attrs import define

from clawgw.http1.server_connection import Connection, Responder, Shared
from clawgw.http1.server_transport import transport_over


@define(eq=False)
class Http1Server:
    """What connections have in common, and each of them while it is served."""

    _shared: Shared

    @classmethod
    def of(cls, responder: Responder, head_s: float) -> "Http1Server":
        """Idle connections, and those whose head takes as long, are closed after `head_s` seconds."""
        return cls(Shared(responder, head_s))

    def drain(self) -> None:
        """From now on every connection ends with the answer that it is waiting for; those that are idle end now."""
        self._shared.drain()

    async def serve(self, stream: trio.abc.Stream) -> bytes | None:
        """Serve a connection and close it; not where another protocol is to go on, which begins with these bytes."""
        transport, handed_on = transport_over(stream), None
        try:
            handed_on = await Connection(self._shared, transport).serve()
        finally:
            if handed_on is None:
                await transport.aclose()
        return handed_on
