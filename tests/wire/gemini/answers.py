"""Gemini answers and what a client saw of them, for the tests of that format."""

from collections.abc import Iterable
from typing import Any

import orjson

from clawgw.wire.codec import WireTarget
from clawgw.wire.events import Chunk, Event
from clawgw.wire.gemini.stream import GeminiStream

Json = dict[str, Any]

TARGET = WireTarget("google", "gemini-2.5-flash")
NOW = 1_700_000_000.5


def answer(*parts: Json, finish: Any = "STOP", **fields: Any) -> Json:
    """An object with one candidate that has these parts."""
    candidate: Json = {"content": {"role": "model", "parts": list(parts)}}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "responseId": "r1", "modelVersion": "gemini-x", **fields}


def called(name: str, args: Json | None = None, **fields: Any) -> Json:
    """A part with a function call."""
    return {"functionCall": {"name": name, **({} if args is None else {"args": args})}, **fields}


def sse(*objects: Json) -> bytes:
    """A stream as Google frames it."""
    return b"".join(b"data: " + orjson.dumps(item) + b"\r\n\r\n" for item in objects)


def events_of(pieces: Iterable[bytes]) -> list[Event]:
    """What a parser says of a stream that ends after the pieces."""
    parser = GeminiStream(TARGET, NOW)
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.finish()


def choices_of(events: list[Event]) -> list[Json]:
    """The choice of each chunk."""
    return [event.body["choices"][0] for event in events if isinstance(event, Chunk)]


def joined(events: list[Event], key: str) -> str:
    """The text of one kind in all deltas."""
    return "".join(choice["delta"].get(key) or "" for choice in choices_of(events))
