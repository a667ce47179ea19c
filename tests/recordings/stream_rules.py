"""The rules of a stream to a client, checked on its bytes (`wire-formats.md`, section A; `contract.md`, section 4)."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

DONE = "[DONE]"


def complaints_about(raw: bytes, *, include_usage: bool, broken: bool) -> Iterator[str]:
    """What is wrong with a whole stream. `broken`: it has to end in an error event, without `[DONE]`."""
    if not raw.endswith(b"\n\n"):
        yield f"stream ends in the middle of an event: {raw[-80:]!r}"
        return
    blocks = [block for block in raw.decode().removesuffix("\n\n").split("\n\n") if not block.startswith(":")]
    if strange := [block for block in blocks if not block.startswith("data: ") or "\n" in block]:
        yield f"not an event of one data line: {strange[0]!r}"
        return
    texts = [block.removeprefix("data: ") for block in blocks]
    yield from _about_end(texts, broken=broken)
    events = [json.loads(text) for text in texts if text != DONE]
    chunks = [event for event in events if "error" not in event]
    yield from _about_chunks(chunks)
    yield from _about_usage(chunks, include_usage=include_usage, broken=broken)


def _about_end(texts: list[str], *, broken: bool) -> Iterator[str]:
    if DONE in texts[:-1]:
        yield "[DONE] is not last"
    if broken and not (texts and "error" in json.loads(texts[-1] if texts[-1] != DONE else "{}")):
        yield f"a broken stream does not end in an error event: {texts[-1:]}"
    if not broken and texts[-1:] != [DONE]:
        yield f"no [DONE] at the end: {texts[-1:]}"


def _about_chunks(chunks: list[dict[str, Any]]) -> Iterator[str]:
    for name in ("id", "object", "created", "model"):
        if len(values := {chunk.get(name) for chunk in chunks}) > 1:
            yield f"{name} varies: {sorted(map(str, values))[:3]}"
    if chunks and chunks[0]["object"] not in {"chat.completion.chunk", "text_completion"}:
        yield f"object is {chunks[0]['object']}"
    by_choice: dict[int, list[dict[str, Any]]] = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            by_choice.setdefault(choice["index"], []).append(choice)
    for index, choices in by_choice.items():
        yield from (f"choice {index}: {complaint}" for complaint in _about_choice(choices))


def _about_choice(choices: list[dict[str, Any]]) -> Iterator[str]:
    if any(choice.get("finish_reason") for choice in choices[:-1]):
        yield "a chunk follows the one with the finish reason"
    if "delta" not in choices[0]:
        return
    if choices[0]["delta"].get("role") != "assistant":
        yield "its first delta has no role"
    yield from _about_calls([call for choice in choices for call in choice["delta"].get("tool_calls") or ()])


def _about_calls(fragments: list[dict[str, Any]]) -> Iterator[str]:
    if any(not isinstance(fragment.get("index"), int) for fragment in fragments):
        yield "a tool call's fragment has no index"
        return
    seen: set[int] = set()
    for fragment in fragments:
        function = fragment.get("function") or {}
        named = bool(fragment.get("id")), bool(function.get("name"))
        if fragment["index"] not in seen and not (all(named) and fragment.get("type") == "function"):
            yield f"the first fragment of call {fragment['index']} lacks its id, type or name"
        if fragment["index"] in seen and any(named):
            yield f"a later fragment of call {fragment['index']} has an id or a name again"
        seen.add(fragment["index"])
    indexes = [fragment["index"] for fragment in fragments]
    if any(later > earlier + 1 for earlier, later in pairwise([-1, *dict.fromkeys(indexes)])):
        yield f"tool call indexes are not 0, 1, …: {indexes}"


def _about_usage(chunks: list[dict[str, Any]], *, include_usage: bool, broken: bool) -> Iterator[str]:
    reports = [at for at, chunk in enumerate(chunks) if chunk.get("usage")]
    if not include_usage:
        if any("usage" in chunk for chunk in chunks):
            yield "a chunk has usage, which was not asked for"
        return
    if len(reports) > 1:
        yield f"{len(reports)} chunks have usage"
    if reports and (reports[-1] != len(chunks) - 1 or chunks[-1]["choices"]):
        yield "the chunk with usage is not the last, or has choices"
    if not broken and any("usage" not in chunk for chunk in chunks):
        yield "a chunk without usage does not say null, though it was asked for"
