"""The built-in echo as an upstream: `wire.echo.chat` behind HTTP's statuses and server-sent events, at a pace.

It needs no network and no key, so a gateway answers before anything is configured. It speaks OpenAI's API as a provider
would, also where a request is wrong. Any model's name will do.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

import orjson
import trio
from attrs import define, field

from clawgw.engine.upstream import Call, Head
from clawgw.errors import GatewayError, NotFound
from clawgw.wire.checks.parse import parse_chat_request, parse_embeddings_request, parse_text_request
from clawgw.wire.echo.chat import answer_chat
from clawgw.wire.echo.embeddings import answer_embeddings
from clawgw.wire.echo.text import answer_text
from clawgw.wire.echo.tokens import EchoAnswer
from clawgw.wire.failure import Failure, Kind, WireError
from clawgw.wire.writer import StreamWriter

RECEIVE_BYTES = 64 * 1024
"""About the most that one `receive` brings."""

_JSON = {"content-type": "application/json"}
_EVENTS = {"content-type": "text/event-stream"}
_MODELS = {"object": "list", "data": [{"id": "echo", "object": "model", "created": 0, "owned_by": "clawgw"}]}

Pieces = Iterator[tuple[float, bytes]]
"""Bytes of a body, each with the time at which it is due (`trio.current_time`)."""

_Answer = tuple[EchoAnswer, StreamWriter | None]
"""What is said, and how it is written if it is to be a stream."""


def _chat(body: bytes, now: float) -> _Answer:
    request = parse_chat_request(body)
    return answer_chat(request, now), StreamWriter(request.include_usage) if request.stream else None


def _text(body: bytes, now: float) -> _Answer:
    request = parse_text_request(body)
    return answer_text(request, now), StreamWriter(request.include_usage) if request.stream else None


def _embeddings(body: bytes, _now: float) -> _Answer:
    return answer_embeddings(parse_embeddings_request(body)), None


_ENDPOINTS: Mapping[str, Callable[[bytes, float], _Answer]] = {
    "/chat/completions": _chat,
    "/completions": _text,
    "/embeddings": _embeddings,
}


@define(eq=False)
class EchoExchange:
    """An exchange of `EchoUpstream`, whose head comes at `_due` (`trio.current_time`)."""

    _head: Head
    _due: float
    _pieces: Pieces
    _next: tuple[float, bytes] | None = field(default=None, init=False)
    _aborted: trio.Event = field(factory=trio.Event, init=False)
    resumable: bool = field(default=True, init=False)
    written: bool = field(default=True, init=False)
    ended: bool = field(default=False, init=False)

    async def head(self, until: float = math.inf) -> Head:
        """The head, when it is due."""
        await self._wait_for(self._due, until)
        self._go_on()
        return self._head

    async def receive(self, until: float = math.inf) -> bytes:
        """All that is due by now, at least one piece of it; b"" at the end."""
        await trio.lowlevel.checkpoint()
        if self._next is not None:
            await self._wait_for(self._next[0], until)
        return self._take(trio.current_time())

    def abort(self) -> None:
        """Say nothing more, also to whoever waits for it now."""
        self._aborted.set()

    async def _wait_for(self, due: float, until: float) -> None:
        with trio.move_on_at(min(due, until)):
            await self._aborted.wait()
        if self._aborted.is_set():
            raise WireError(Failure(Kind.RESET, "echo: the answer was aborted"))
        if until < due:
            raise trio.TooSlowError

    def _take(self, now: float) -> bytes:
        taken = bytearray()
        while self._next is not None and self._next[0] <= now and len(taken) < RECEIVE_BYTES:
            taken += self._next[1]
            self._go_on()
        return bytes(taken)

    def _go_on(self) -> None:
        self._next = next(self._pieces, None)
        self.ended = self._next is None


class EchoUpstream:
    """The echo, at so many tokens a second; None: at once."""

    def __init__(self, tokens_per_second: float | None = None) -> None:
        self._second_per_token = 1 / tokens_per_second if tokens_per_second else 0.0

    def open(self, call: Call) -> EchoExchange:
        """Answer a call to `…/chat/completions`, `…/completions`, `…/embeddings` or `…/models`.

        A stream's head comes at once, a plain answer when all of it has been said.
        """
        path = urlsplit(call.url).path
        if path.endswith("/models"):
            return _plain(200, _MODELS)
        try:
            answer, writer = _endpoint(path)(call.body, time.time())
        except GatewayError as error:
            return _plain(error.status, _error_body(error))
        now = trio.current_time()
        if writer is not None:
            return EchoExchange(Head(200, _EVENTS), now, self._paced(answer, writer, now))
        return _plain(200, answer.body, now + answer.usage.completion * self._second_per_token)

    async def aclose(self) -> None:
        """Nothing is ever idle."""

    def _paced(self, answer: EchoAnswer, writer: StreamWriter, start: float) -> Pieces:
        said = 0
        for event, tokens in answer.events:
            said += tokens
            yield start + said * self._second_per_token, writer.write([event])


def _endpoint(path: str) -> Callable[[bytes, float], _Answer]:
    """The endpoint at the end of a path. Raises `NotFound`."""
    for end, endpoint in _ENDPOINTS.items():
        if path.endswith(end):
            return endpoint
    raise NotFound("There is no such endpoint.")


def _plain(status: int, body: object, due: float = -math.inf) -> EchoExchange:
    return EchoExchange(Head(status, _JSON), due, iter([(due, orjson.dumps(body))]))


def _error_body(error: GatewayError) -> object:
    return {"error": {"message": error.message, "type": error.type, "param": error.param, "code": error.code}}
