"""Where hypercorn hands out its connections: HTTP/1.1 is served by us, everything else by hypercorn.

Hypercorn goes on accepting, speaking TLS, and ending at the right time. It makes its connections itself, so `install`
puts our class in the place of its own. docs/decisions/0018 says why, and tests/serve/test_door.py what it relies on.
"""

import ssl
from typing import Any

import hypercorn.trio.run
import trio
from attrs import define
from hypercorn import Config
from hypercorn.trio.tcp_server import TCPServer

from clawgw.http1.server import Http1Server


class DoorConfig(Config):
    """Hypercorn's, with a TLS context of ours, and the server for HTTP/1.1."""

    http1: Http1Server
    tls_context: ssl.SSLContext | None = None

    def create_ssl_context(self) -> ssl.SSLContext | None:
        """For hypercorn, which looks at the names of the files for nothing else than whether there is to be TLS."""
        return self.tls_context


def install() -> None:
    """From now on hypercorn's connections are `Door`s."""
    hypercorn.trio.run.TCPServer = Door  # type: ignore[attr-defined] # not for others to set, and no other way in


class Door(TCPServer):
    """A connection, from before its TLS handshake to its end."""

    config: DoorConfig
    stream: Any

    async def run(self) -> None:
        """Serve it, or leave it to hypercorn."""
        if isinstance(self.stream, trio.SSLStream):
            try:
                with trio.fail_after(self.config.ssl_handshake_timeout):
                    await self.stream.do_handshake()
            except (trio.BrokenResourceError, trio.TooSlowError):
                return
            if self.stream.selected_alpn_protocol() == "h2":
                await super().run()
                return
        read = await self.config.http1.serve(self.stream)
        if read is not None:
            self.stream = ReplayedStream(self.stream, read)
            await super().run()


@define(eq=False)
class ReplayedStream:
    """A stream that begins with bytes that were read from it before; apart from that it is the stream."""

    _stream: Any
    _read: bytes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """What was read, once; then what comes."""
        if read := self._read:
            self._read = b""
            return read
        return bytes(await self._stream.receive_some(max_bytes))
