"""What is fuzzed: every parser that reads bytes from outside, and what holds of it for any bytes, split anywhere.

A target takes any bytes and returns, or raises, which is a finding. Its first byte, where one is needed, decides what
the rest does not say: how a stream is split, which status an error has.
"""

import json
import math
import random
from collections.abc import Callable
from functools import partial

import orjson

from clawgw.engine.seen import Seen
from clawgw.errors import InvalidRequest
from clawgw.wire.assemble import Assembly
from clawgw.wire.checks.parse import parse_chat_request, parse_embeddings_request, parse_text_request
from clawgw.wire.codec import Codec, WireTarget
from clawgw.wire.events import Done, Failed, SingleEvent, StreamParser, unfold
from clawgw.wire.failure import WireError
from clawgw.wire.formats import CODECS
from clawgw.wire.operations import operation
from clawgw.wire.request import ChatRequest, EmbeddingsRequest, Request, TextRequest
from clawgw.wire.sse import SseDecoder, SseEvent, parse_event
from clawgw.wire.writer import StreamWriter
from fuzz import http1_client, http1_server
from fuzz.limits import limits

Target = Callable[[bytes], None]

MODELS = ("some-model", "gpt-5", "claude-opus-4-8", "claude-3-haiku", "gemini-3-pro", "gemini-2.5-flash", "kimi-k2.5")
"""Names that codecs tell apart."""
_CHAT = ChatRequest(
    {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}, "m", stream=True, include_usage=True
)
_TEXT = TextRequest({"model": "m", "prompt": "Hi"}, "m", stream=True, include_usage=True)
_EMBEDDINGS = EmbeddingsRequest({"model": "m", "input": ["Hi"]}, "m", base64=True)
_TARGET = WireTarget("provider", "some-model")
_STATUSES = (400, 401, 402, 403, 404, 408, 413, 422, 429, 498, 500, 503, 529)


def split(data: bytes) -> list[bytes]:
    """All but the first byte, in pieces that the first byte decides; none is empty."""
    dice = random.Random(data[:1])  # noqa: S311 - the splits are no secret
    pieces, at = [], 1
    while at < len(data):
        size = dice.choice((1, 1, 2, 7, 100))
        pieces.append(data[at : at + size])
        at += size
    return pieces


def sse(data: bytes) -> None:
    """The events are the same for every split, and the cap holds."""
    assert _sse_events([data[1:]]) == _sse_events(split(data))


def _sse_events(pieces: list[bytes]) -> list[SseEvent | str]:
    decoder = SseDecoder(max_event_bytes=64)
    blocks: list[bytes] = []
    failure: list[SseEvent | str] = []
    try:
        for piece in pieces:
            blocks += decoder.feed(piece)
        blocks += decoder.finish()
    except WireError as error:
        failure.append(error.failure.kind.value)
    return [*filter(None, map(parse_event, blocks)), *failure]


def stream(codec: Codec, data: bytes) -> None:
    """The events are the same for every split; the last, and only the last, is `Done` or `Failed`.

    Whatever they say, it can be counted, put together and written.
    """
    for taken in (_CHAT, _TEXT):
        asked = operation(taken, codec, _TARGET, 0.0)
        events = _events(asked.parser(), [data[1:]])
        assert [isinstance(event, Done | Failed) for event in events] == [False] * (len(events) - 1) + [True]
        assert events == _events(asked.parser(), split(data))
        raw, seen, assembly = asked.parser().feed(data[1:]), Seen(), Assembly(10**6)
        seen.note(raw)
        assembly.take(raw)
        assembly.completion()
        StreamWriter(include_usage=True).write(raw)


def _events(parser: StreamParser, pieces: list[bytes]) -> list[SingleEvent]:
    events: list[SingleEvent] = [event for piece in pieces for event in unfold(parser.feed(piece))]
    events += unfold(parser.finish())
    assert parser.feed(b"data: {}\n\n") == parser.finish() == []
    return events


def body(codec: Codec, data: bytes) -> None:
    """An answer that can be sent on as JSON, or a `WireError`."""
    for taken in (_CHAT, _TEXT, _EMBEDDINGS):
        try:
            completion = operation(taken, codec, _TARGET, 0.0).parse(data)
        except WireError:
            continue
        orjson.dumps(completion.body)
        assert completion.usage is None or min(completion.usage.prompt, completion.usage.completion) >= 0


def error(codec: Codec, data: bytes) -> None:
    """Always a failure, with a message that is not too long to show and a hint that can be waited for."""
    status = _STATUSES[data[0] % len(_STATUSES)] if data else 500
    headers = {"retry-after": data[1:20].decode("latin-1"), "retry-after-ms": data[20:40].decode("latin-1")}
    for given in ({}, headers):
        failure = codec.parse_error(status, given, data[1:], 0.0)
        assert len(failure.message) <= 1000
        assert failure.retry_after_s is None or (math.isfinite(failure.retry_after_s) and failure.retry_after_s >= 0)


def request(data: bytes) -> None:
    """A request that is taken can be built for every provider, or is refused with the provider's word."""
    for parse in (parse_chat_request, parse_text_request, parse_embeddings_request):
        try:
            taken = parse(data)
        except InvalidRequest as refused:
            orjson.dumps(refused.body("id"))
            continue
        for codec in CODECS.values():
            for model in MODELS:
                _build(codec, taken, WireTarget("provider", model))


def _build(codec: Codec, taken: Request, target: WireTarget) -> None:
    try:
        built = operation(taken, codec, target, 0.0).build()
    except WireError:
        return
    assert isinstance(json.loads(built.body), dict)


def _of_codec(name: str, codec: Codec) -> dict[str, Target]:
    return {
        f"{name}-stream": partial(stream, codec),
        f"{name}-body": partial(body, codec),
        f"{name}-error": partial(error, codec),
    }


TARGETS: dict[str, Target] = {
    "sse": sse,
    "request": request,
    "limits": limits,
    "http1-server-parser": lambda data: http1_server.parser(split(data)),
    "http1-server-connection": lambda data: http1_server.connection(split(data)),
    "http1-client-parser": lambda data: http1_client.parser(split(data)),
    "http1-client-connection": lambda data: http1_client.connection(split(data)),
}
for _name, _codec in CODECS.items():
    TARGETS |= _of_codec(_name, _codec)
