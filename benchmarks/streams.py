"""Processor time that one event of a stream costs: parsed, noted, written. No I/O.

    python -m benchmarks.streams [EVENTS]

Each dialect once in bursts, as from an upstream that is faster than the gateway, and once with a read for every event.
Absolute figures depend on the machine.
"""

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from clawgw.engine.seen import Seen
from clawgw.wire.codec import WireTarget
from clawgw.wire.events import Done, Event
from clawgw.wire.formats import CODECS
from clawgw.wire.request import ChatRequest
from clawgw.wire.writer import StreamWriter

BURST_BYTES = 64 * 1024
TRIES = 5
WORDS = ("The", " quick", " brown", " fox", " jumps", " over", " the", " lazy", " dog", ".\n\n", " „Füchse“", ' "so"')
TARGET = WireTarget("p", "m")
REQUEST = ChatRequest({"messages": [{"role": "user", "content": "x"}]}, "m", stream=True, include_usage=True)


def compact(body: Any) -> bytes:
    """JSON as most upstreams write it."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def openai_stream(count: int, *members: str, obfuscated: bool = False) -> Iterator[bytes]:
    """What api.openai.com sends, each word in these members of a delta."""

    def event(delta: dict[str, Any], reason: str | None = None, **more: Any) -> bytes:
        head = {"id": f"chatcmpl-{'x' * 29}", "object": "chat.completion.chunk", "created": 1_790_000_000}
        head |= {"model": "gpt-6.1-sol-2026-09-01", "service_tier": "default", "system_fingerprint": "fp_0123456789"}
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return b"data: %b\n\n" % compact({**head, "choices": [choice], "usage": None, **more})

    yield event({"role": "assistant", "content": "", "refusal": None})
    for number in range(count):
        word = WORDS[number % len(WORDS)]
        more = {"obfuscation": "aB3dE6gH9jK2mN5"[number % 8 :]} if obfuscated else {}
        yield event(dict.fromkeys(members, word), **more)
    yield event({}, "stop")
    usage = {"prompt_tokens": 10, "completion_tokens": count, "total_tokens": 10 + count}
    yield event({}).replace(b'"usage":null', b'"usage":' + compact(usage))
    yield b"data: [DONE]\n\n"


def anthropic_stream(count: int) -> Iterator[bytes]:
    """What api.anthropic.com sends."""

    def event(kind: str, **more: Any) -> bytes:
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), compact({"type": kind, **more}))

    yield event("message_start", message={"id": "msg_1", "model": "m", "usage": {"input_tokens": 10}})
    yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    for number in range(count):
        delta = {"type": "text_delta", "text": WORDS[number % len(WORDS)]}
        yield event("content_block_delta", index=0, delta=delta)
    yield event("content_block_stop", index=0)
    yield event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": count})
    yield event("message_stop")


def gemini_stream(count: int) -> Iterator[bytes]:
    """What generativelanguage.googleapis.com sends, though in larger pieces."""
    for number in range(count):
        candidate: dict[str, Any] = {"content": {"parts": [{"text": WORDS[number % len(WORDS)]}], "role": "model"}}
        if number == count - 1:
            candidate["finishReason"] = "STOP"
        counts = {"promptTokenCount": 10, "candidatesTokenCount": number, "totalTokenCount": number + 10}
        body = {"candidates": [{**candidate, "index": 0}], "usageMetadata": counts, "modelVersion": "m"}
        yield b"data: %b\r\n\r\n" % compact({**body, "responseId": "r"})


def in_bursts(events: list[bytes]) -> list[bytes]:
    """As many bytes at a time as one read brings."""
    raw = b"".join(events)
    return [raw[at : at + BURST_BYTES] for at in range(0, len(raw), BURST_BYTES)]


def micros(wire: str, reads: list[bytes], events: int) -> float:
    """Microseconds of processor time an event."""
    parser, seen, writer = CODECS[wire].chat_stream(REQUEST, TARGET, 0.0), Seen(), StreamWriter(include_usage=True)
    last: Event | None = None
    started = time.process_time()
    for data in (*reads, b""):
        happened = parser.feed(data) if data else parser.finish()
        seen.note(happened)
        writer.write(happened)
        last = happened[-1] if happened else last
    seen.used(lambda: 1)
    spent = time.process_time() - started
    if not isinstance(last, Done):
        raise TypeError(last)
    return spent / events * 1e6


def main() -> None:
    """Print the best of some tries for each dialect."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    cases = {
        "openai, content": ("openai", openai_stream(count, "content")),
        "openai, content, obfuscated": ("openai", openai_stream(count, "content", obfuscated=True)),
        "openai, reasoning as Groq says it": ("groq", openai_stream(count, "reasoning")),
        "openai, read in full": ("openrouter", openai_stream(count, "reasoning", "reasoning_content")),
        "anthropic": ("anthropic", anthropic_stream(count)),
        "gemini": ("gemini", gemini_stream(count)),
    }
    for name, (wire, stream) in cases.items():
        events = list(stream)
        bursts = min(micros(wire, in_bursts(events), len(events)) for _ in range(TRIES))
        singles = min(micros(wire, events, len(events)) for _ in range(TRIES))
        print(f"{name:36} {bursts:5.2f} µs in bursts, {singles:5.2f} µs one by one")


if __name__ == "__main__":
    main()
