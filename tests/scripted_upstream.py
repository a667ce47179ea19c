"""An upstream in virtual time: answers as data, for engine and gateway tests under `autojump_clock`."""

import math
from collections.abc import Callable, Mapping, Sequence

import trio
from attrs import define, field, frozen

from clawgw.engine.upstream import Call, Head
from clawgw.wire.failure import Failure, Kind, WireError


@frozen
class Reply:
    """A head after `delay` seconds, then the body: bytes, seconds to wait, or a failure to raise.

    `framed`: its end is known with the last bytes, as by a content-length, else only after them.
    """

    status: int = 200
    body: Sequence[bytes | float | Failure] = ()
    delay: float = 0.0
    headers: Mapping[str, str] = field(factory=dict)
    framed: bool = False


@frozen
class Refusal:
    """No head: a failure after `delay` seconds."""

    failure: Failure
    delay: float = 0.0


def refused() -> Refusal:
    return Refusal(Failure(Kind.CONNECT, "connection refused"))


SILENT = Reply(delay=1e9)


@define(eq=False)
class ScriptedExchange:
    """Waits are by the clock, so that one which was cancelled goes on as if it had not been.

    With `connects_at` it has no connection before that time: a wait that is cancelled then has lost it.
    """

    reply: Reply | Refusal
    connects_at: float
    started: float = field(factory=trio.current_time)
    opened: bool = False
    aborted: bool = False
    ended: bool = False
    lost: bool = False
    closed_at: float = math.inf
    _body: list[bytes | float | Failure] = field(init=False)
    _next: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._body = [] if isinstance(self.reply, Refusal) else list(self.reply.body)
        self._next = self.started + self.reply.delay

    @property
    def resumable(self) -> bool:
        return not self.lost and trio.current_time() >= self.connects_at

    @property
    def written(self) -> bool:
        until = min(trio.current_time(), self.closed_at)
        return until >= self.connects_at and not isinstance(self.reply, Refusal)

    async def head(self, until: float = math.inf) -> Head:
        assert not self.aborted
        assert not self.lost, "a wait that could not be taken up again was"
        try:
            with trio.fail_at(until):
                await trio.sleep_until(max(self._next, self.connects_at))
        except (trio.Cancelled, trio.TooSlowError):
            self.lost = not self.resumable
            raise
        if isinstance(self.reply, Refusal):
            self._end()
            raise WireError(self.reply.failure)
        self.opened = True
        self._next = trio.current_time()
        return Head(self.reply.status, self.reply.headers)

    async def receive(self, until: float = math.inf) -> bytes:
        assert self.opened
        with trio.fail_at(until):
            return await self._receive()

    async def _receive(self) -> bytes:
        await trio.lowlevel.checkpoint()
        while self._body:
            match self._body[0]:
                case bytes(data):
                    del self._body[0]
                    await trio.lowlevel.cancel_shielded_checkpoint()  # as a socket does that has brought something
                    if not self._body and isinstance(self.reply, Reply) and self.reply.framed:
                        self._end()
                    return data
                case Failure() as failure:
                    self._end()
                    raise WireError(failure)
                case seconds:
                    await trio.sleep_until(self._next + seconds)
                    self._next += seconds
                    del self._body[0]
        self._end()
        return b""

    def abort(self) -> None:
        self.aborted = not self.ended
        self._close()

    def _end(self) -> None:
        self.ended = True
        self._close()

    def _close(self) -> None:
        self.closed_at = min(self.closed_at, trio.current_time())


@define(eq=False)
class ScriptedUpstream:
    """Answers each call with what `script` returns for it; a connection takes `connect_s` (0: one is at hand)."""

    script: Callable[[Call], Reply | Refusal]
    connect_s: float = 0.0
    calls: list[tuple[float, Call]] = field(factory=list)
    exchanges: list[ScriptedExchange] = field(factory=list)

    def open(self, call: Call) -> ScriptedExchange:
        self.calls.append((trio.current_time(), call))
        self.exchanges.append(ScriptedExchange(self.script(call), trio.current_time() + self.connect_s))
        return self.exchanges[-1]

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()

    @property
    def cancelled(self) -> int:
        """Calls that were given up before their head."""
        return sum(exchange.aborted and not exchange.opened for exchange in self.exchanges)

    def left_open(self) -> int:
        """Calls that were neither answered to the end nor aborted."""
        return sum(not (exchange.aborted or exchange.ended) for exchange in self.exchanges)
