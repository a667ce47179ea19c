"""An upstream in virtual time: answers as data, for engine and gateway tests under `autojump_clock`."""

from collections.abc import Callable, Mapping, Sequence

import trio
from attrs import define, field, frozen

from clawgw.engine.upstream import Call
from clawgw.wire.codec import Failure, Kind, WireError


@frozen
class Reply:
    """A head after `delay` seconds, then the body: bytes, seconds to wait, or a failure to raise."""

    status: int = 200
    body: Sequence[bytes | float | Failure] = ()
    delay: float = 0.0
    headers: Mapping[str, str] = field(factory=dict)


@frozen
class Refusal:
    """No head: a failure after `delay` seconds."""

    failure: Failure
    delay: float = 0.0


def refused() -> Refusal:
    return Refusal(Failure(Kind.CONNECT, "connection refused"))


SILENT = Reply(delay=1e9)


@define(eq=False)
class ScriptedResponse:
    status: int
    headers: Mapping[str, str]
    _body: list[bytes | float | Failure]
    aborted: bool = False
    ended: bool = False

    async def receive(self) -> bytes:
        await trio.lowlevel.checkpoint()
        while self._body:
            match self._body.pop(0):
                case bytes(data):
                    return data
                case Failure() as failure:
                    raise WireError(failure)
                case seconds:
                    await trio.sleep(seconds)
        self.ended = True
        return b""

    def abort(self) -> None:
        self.aborted = True


@define(eq=False)
class ScriptedUpstream:
    """Answers each call with what `script` returns for it."""

    script: Callable[[Call], Reply | Refusal]
    calls: list[tuple[float, Call]] = field(factory=list)
    responses: list[ScriptedResponse] = field(factory=list)
    cancelled: int = 0

    async def open(self, call: Call) -> ScriptedResponse:
        self.calls.append((trio.current_time(), call))
        reply = self.script(call)
        try:
            await trio.sleep(reply.delay)
        except trio.Cancelled:
            self.cancelled += 1
            raise
        if isinstance(reply, Refusal):
            raise WireError(reply.failure)
        response = ScriptedResponse(reply.status, reply.headers, list(reply.body))
        self.responses.append(response)
        return response

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()

    def left_open(self) -> int:
        """Responses that were neither read to their end nor aborted."""
        return sum(not (response.aborted or response.ended) for response in self.responses)
