"""One request and its answer, over a connection of a pool."""

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
    """

    _pool: Pool
    _origin: Origin
    _request: bytes = field(repr=False)
    _connect_s: float
    _to_head: bool = False
    _connection: ClientConnection | None = field(init=False, default=None)
    _over: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self._own(self._pool.take(self._origin))

    @property
    def resumable(self) -> bool:
        """Whether a wait may be cancelled and taken up again with nothing lost: once it has a connection."""
        return self._connection is not None

    @property
    def written(self) -> bool:
        """Whether the whole request has been sent."""
        return self._over or (self._connection is not None and self._connection.written)

    async def head(self) -> ResponseHead:
        """The head of the answer. Nothing but connecting has a time limit here. Raises `PeerFault`."""
        while True:
            connection = self._connection or await self._connect()
            try:
                return await connection.head()
            except GoneBefore:
                self._own(self._pool.take(self._origin))

    async def receive(self) -> bytes:
        """What one read brought; b"" at the end, when the connection is back in its pool. Raises `PeerFault`."""
        if self._over:
            return b""
        assert self._connection is not None  # noqa: S101  # the head comes first, and connects
        data = await self._connection.receive()
        if self._connection.is_complete:
            self._over = True
            self._pool.give_back(self._origin, self._connection)
        return data

    def abort(self) -> None:
        """Reset the connection beneath TLS, unless the answer has ended: then it serves others by now."""
        if self._connection is not None and not self._over:
            self._connection.cut()

    async def _connect(self) -> ClientConnection:
        connection = await self._pool.connect(self._origin, self._connect_s)
        self._own(connection)
        return connection

    def _own(self, connection: ClientConnection | None) -> None:
        self._connection = connection
        if connection is not None:
            connection.begin(self._request, to_head=self._to_head)
