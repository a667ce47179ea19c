"""One request and its answer, over a connection of a pool."""

import math

import trio
from attrs import define, field

from clawgw.http1.client import ClientConnection
from clawgw.http1.faults import GoneBefore
from clawgw.http1.pool import Origin, Pool
from clawgw.http1.response_head import ResponseHead


@define(eq=False)
class ClientExchange:
    """Owned by whoever opened it, until the answer's end or `abort`.

    It takes an idle connection if there is one, sends nothing before its head is waited for, and never touches its
    connection again once that is given back. `request` is what goes out; `to_head` says that its method is HEAD.
    Waits raise `PeerFault`, and `trio.TooSlowError` where `until` (`trio.current_time`) comes first.
    """

    _pool: Pool
    _origin: Origin
    _request: bytes = field(repr=False)
    _connect_s: float
    _to_head: bool = False
    ended: bool = field(init=False, default=False)
    """Whether the answer has come to its end; its connection is back in the pool."""
    _connection: ClientConnection | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._own(self._pool.take(self._origin))

    @property
    def resumable(self) -> bool:
        """Whether a wait may be given up and taken up again with nothing lost: once it has a connection."""
        return self._connection is not None

    @property
    def written(self) -> bool:
        """Whether the whole request has been sent."""
        return self.ended or (self._connection is not None and self._connection.written)

    async def head(self, until: float = math.inf) -> ResponseHead:
        """The head of the answer. Connecting has a time limit of its own."""
        while True:
            connection = self._connection or await self._connect(until)
            try:
                return await connection.head(until)
            except GoneBefore:
                self._own(self._pool.take(self._origin))

    async def receive(self, until: float = math.inf) -> bytes:
        """What one read brought; b"" at the end and after it."""
        if self.ended:
            return b""
        assert self._connection is not None  # noqa: S101  # the head comes first, and connects
        data = await self._connection.receive(until)
        if self._connection.is_complete:
            self.ended = True
            self._pool.give_back(self._origin, self._connection)
        return data

    def abort(self) -> None:
        """Reset the connection beneath TLS, unless the answer has ended: then it serves others by now."""
        if self._connection is not None and not self.ended:
            self._connection.cut()

    async def _connect(self, until: float) -> ClientConnection:
        with trio.fail_at(until):
            connection = await self._pool.connect(self._origin, self._connect_s)
        self._own(connection)
        return connection

    def _own(self, connection: ClientConnection | None) -> None:
        self._connection = connection
        if connection is not None:
            connection.begin(self._request, to_head=self._to_head)
