"""TLS as a client, on a `Tcp`: OpenSSL works on memory, so that a wait can be given up and taken up again.

Trio's `SSLStream` does not say what of a plaintext has been sent when it is cancelled, and hands out one TLS record at
a time; here all records that one read brought come in one piece.
"""

import math
import ssl

import trio
from attrs import define, field

from clawgw.net.tcp import READ_BYTES, Tcp

_WRITE_BYTES = 256 * 1024
"""How much is encrypted before what is there is sent: other tasks wait for no more than that."""


@define(eq=False)
class Tls:
    """A `Link`. `handshake` comes first, and is the one wait that cannot be taken up again."""

    tcp: Tcp
    _context: ssl.SSLContext
    _host: str
    _session: ssl.SSLSession | None = None
    _incoming: ssl.MemoryBIO = field(init=False, factory=ssl.MemoryBIO)
    _outgoing: ssl.MemoryBIO = field(init=False, factory=ssl.MemoryBIO)
    _ssl: ssl.SSLObject = field(init=False)
    _plain: bytes | memoryview = field(init=False, default=b"", repr=False)
    _over: bool = field(init=False, default=False)
    _failed: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self._ssl = self._context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=self._host, session=self._session
        )

    @property
    def sent_bytes(self) -> int:
        """How much the system has taken to send, in ciphertext."""
        return self.tcp.sent_bytes

    @property
    def session(self) -> ssl.SSLSession | None:
        """What a later connection may begin with; in TLS 1.3 there is one when something has been received."""
        return self._ssl.session

    @property
    def is_resumed(self) -> bool:
        """Whether the session that was given has spared a part of the handshake."""
        return bool(self._ssl.session_reused)

    async def handshake(self) -> None:
        """Raises `ssl.SSLError`, or `trio.BrokenResourceError`. The last of it goes out with what is sent first."""
        while True:
            try:
                self._ssl.do_handshake()
            except ssl.SSLWantReadError:
                await self._take()
            else:
                return

    def send(self, data: bytes) -> None:
        """Keep the data for the next `flush`."""
        self._plain = bytes(self._plain) + data if self._plain else data

    async def flush(self, until: float = math.inf) -> None:
        """Send what is kept. Raises `trio.TooSlowError`, `trio.BrokenResourceError`."""
        while self._encrypt():
            await self._flush_records(until)
            await trio.lowlevel.checkpoint()  # encrypting takes its time
        await self._flush_records(until)

    async def receive(self, until: float = math.inf) -> bytes:
        """What one read brings, and more reads where that is no whole record; b"" at the end."""
        while not self._over:
            if not self._incoming.pending:
                await self._take(until)
            if data := self._decrypt():
                return data
        if self._failed:
            raise trio.BrokenResourceError("TLS failed")
        return b""

    def is_quiet(self) -> bool:
        """Whether nothing has come unasked. What has come as a whole record is never kept here."""
        return not self._over and self.tcp.is_quiet()

    def cut(self) -> None:
        """Close the socket now, without TLS's goodbye."""
        self.tcp.cut()

    def is_cut(self) -> bool:
        """Whether `cut` has been called."""
        return self.tcp.is_cut()

    def _encrypt(self) -> bool:
        """A part of what is kept; whether more is left."""
        if self._plain:
            try:
                taken = self._ssl.write(memoryview(self._plain)[:_WRITE_BYTES])
            except ssl.SSLError as error:
                raise trio.BrokenResourceError("TLS failed") from error
            self._plain = memoryview(self._plain)[taken:] if taken < len(self._plain) else b""
        return bool(self._plain)

    def _decrypt(self) -> bytes:
        """All whole records that are there."""
        pieces = []
        try:
            while piece := self._ssl.read(READ_BYTES):
                pieces.append(piece)
                if not self._incoming.pending and not self._ssl.pending():
                    break  # reading on would say so as well, by an exception
            else:
                self._over = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLEOFError:  # HTTP says itself where an answer ends, and few servers say goodbye
            self._over = True
        except ssl.SSLError:
            self._over = self._failed = True
        return b"".join(pieces)

    async def _take(self, until: float = math.inf) -> None:
        """Send what TLS itself has to say, and read."""
        await self._flush_records(until)
        if data := await self.tcp.receive(until):
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    async def _flush_records(self, until: float) -> None:
        if self._outgoing.pending:
            self.tcp.send(self._outgoing.read())
        await self.tcp.flush(until)
