"""Whether a client got what it must: every difference in one line of words."""

import base64
import json
import math
import struct
from collections.abc import Iterator, Sequence
from typing import Any

from attrs import evolve

from tests.recordings.client import Got
from tests.recordings.client_view import answer_of
from tests.recordings.exchange import Exchange
from tests.recordings.expected import Answer, Choice, Fault, Faults, Vectors
from tests.recordings.oracle_openai import FINISH_REASONS
from tests.recordings.stream_rules import complaints_about


def complaints(exchange: Exchange, got: Got) -> Iterator[str]:
    """All that is wrong with what one replay brought."""
    if "x-request-id" not in got.headers:
        yield "no x-request-id"
    match exchange.expected:
        case Faults() as faults:
            yield from _about_fault(faults, got)
        case _ if got.status != 200:
            yield f"HTTP {got.status} {json.dumps(got.error)}"
        case Vectors() as vectors:
            yield from _about_vectors(vectors, got)
        case Answer() as answer:
            yield from _about_answer(answer, got)


def _about_fault(wanted: Faults, got: Got) -> Iterator[str]:
    error = got.error
    if not isinstance(error, dict) or {"message", "type", "param", "code", "request_id"} - set(error):
        yield f"no error object: HTTP {got.status} {bytes(got.raw[:200])!r}"
        return
    seen = Fault(got.status, error["type"], error["code"])
    if not any(_same_fault(fault, seen) for fault in wanted.any_of):
        yield f"error {seen} is none of {list(wanted.any_of)}"
    if got.headers.get("x-should-retry") != "false" and got.status != 429:
        yield "the client is not told that asking again is pointless"
    if got.status == 429:
        yield from _about_wait(wanted.retry_after_s, got.headers.get("retry-after", ""))


def _about_wait(hint_s: float | None, said: str) -> Iterator[str]:
    """Whole seconds, at least 1, on every 429; the upstream's own hint where it gives one."""
    if not said.isdigit() or int(said) < 1 or (hint_s is not None and int(said) != max(1, math.ceil(hint_s))):
        yield f"Retry-After {said!r}, and the upstream's hint was {hint_s} s"


def _same_fault(wanted: Fault, seen: Fault) -> bool:
    same_code = wanted.code is None or wanted.code == seen.code
    return (wanted.status, wanted.type) == (seen.status, seen.type) and same_code


def _about_answer(wanted: Answer, got: Got) -> Iterator[str]:
    stream = got.sent.get("stream") is True
    include_usage = (got.sent.get("stream_options") or {}).get("include_usage") is True
    if stream:
        yield from complaints_about(bytes(got.raw), include_usage=include_usage, broken=wanted.broken)
    if got.headers.get("x-clawgw-attempts") != "1":
        yield f"x-clawgw-attempts {got.headers.get('x-clawgw-attempts')}"
    if bool(got.raised) != wanted.broken:
        yield f"the package raised {got.raised!r}"
    seen = answer_of(got.bodies)
    if wanted.model and seen.model != wanted.model:
        yield f"model {seen.model!r}, not {wanted.model!r}"
    if wanted.usage and (include_usage or not stream) and seen.usage != wanted.usage:
        yield f"usage {seen.usage}, not {wanted.usage}"
    if set(seen.choices) != set(wanted.choices):
        yield f"choices {sorted(seen.choices)}, not {sorted(wanted.choices)}"
    for index in set(seen.choices) & set(wanted.choices):
        yield from _about_choice(wanted.choices[index], seen.choices[index], broken=wanted.broken)


def _about_choice(wanted: Choice, seen: Choice, *, broken: bool) -> Iterator[str]:
    for name in ("text", "reasoning", "refusal"):
        if getattr(wanted, name) not in {None, getattr(seen, name)}:
            yield f"{name} {getattr(seen, name)!r:.200}, not {getattr(wanted, name)!r:.200}"
    if broken:
        return
    reason = seen.finish_reason
    if reason not in ({None, *FINISH_REASONS} if wanted.finish_reason is None else {wanted.finish_reason}):
        yield f"finish_reason {reason!r}, not {wanted.finish_reason!r}"
    called = [choice.function_call and evolve(choice.function_call, id=None) for choice in (seen, wanted)]
    if called[0] != called[1]:
        yield f"function_call {called[0]}, not {called[1]}"
    yield from _about_calls(wanted, seen)


def _about_calls(wanted: Choice, seen: Choice) -> Iterator[str]:
    names = [[(call.name, call.arguments) for call in choice.tool_calls] for choice in (seen, wanted)]
    if names[0] != names[1]:
        yield f"tool_calls {names[0]}, not {names[1]}"
        return
    ids = [call.id for call in seen.tool_calls]
    if not all(ids) or len(set(ids)) < len(ids):
        yield f"tool call ids are missing or the same: {ids}"
    told = [(call.id, mine) for call, mine in zip(wanted.tool_calls, ids, strict=True) if call.id]
    if any(theirs != mine for theirs, mine in told):
        yield f"tool call ids (upstream's, ours) differ: {told}"


def _about_vectors(wanted: Vectors, got: Got) -> Iterator[str]:
    body = got.bodies[0]
    if [item["index"] for item in body["data"]] != list(range(len(wanted.data))):
        yield f"indexes {[item['index'] for item in body['data']]} for {len(wanted.data)} embeddings"
        return
    as_text = got.sent.get("encoding_format") == "base64"
    for item, vector in zip(body["data"], wanted.data, strict=True):
        if as_text and not isinstance(item["embedding"], str):
            yield "numbers, though base64 was asked for"
        if item["embedding"] != vector and _floats(item["embedding"]) != _floats(vector):
            yield f"embedding {item['index']} differs"
    if wanted.prompt_tokens is not None and body["usage"]["prompt_tokens"] != wanted.prompt_tokens:
        yield f"usage {body['usage']}"


def _floats(vector: Sequence[float | None] | str) -> Any:
    """As float32, which is what base64 holds; what is none of it (int8 vectors) as it is."""
    try:
        raw = base64.b64decode(vector) if isinstance(vector, str) else struct.pack(f"<{len(vector)}f", *vector)
        return struct.unpack(f"<{len(raw) // 4}f", raw)
    except struct.error:
        return vector
