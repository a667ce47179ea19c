"""What a policy may know of a request, taken from it. Only made where something decides by it."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import orjson

from clawgw.config.callers import NOBODY, Caller
from clawgw.policy import RequestFacts
from clawgw.wire.request import ChatRequest, EmbeddingsRequest, Request, TextRequest

RawHeaders = Sequence[tuple[bytes, bytes]]

CHARACTERS_PER_TOKEN = 4
"""Of English text, for most tokenizers: an estimate."""
IMAGE_TOKENS = 1000
"""An image, file or sound, whatever its size: an estimate."""
TOOL_BYTES_PER_TOKEN = 4
_SECRET_HEADERS = {"x-api-key", "x-goog-api-key"}
_TEXT_PARTS = {"text", "refusal"}


def facts_of(  # a fact for each place it comes from
    request: Request, endpoint: str, *, request_id: str, headers: RawHeaders, now: float, caller: Caller = NOBODY
) -> RequestFacts:
    """The facts of a checked request. `now` is in Unix seconds."""
    body = request.body
    parts = list(_parts(body.get("messages") or ()))
    tools = body.get("tools") or ()
    media = sum(isinstance(part, Mapping) and part.get("type") not in _TEXT_PARTS for part in parts)
    return RequestFacts(
        model=request.model,
        endpoint=endpoint,
        stream=not isinstance(request, EmbeddingsRequest) and request.stream,
        user=body.get("user"),
        key=caller.name,
        labels=caller.labels,
        metadata=body.get("metadata") or {},
        headers=_chosen(headers),
        tools=len(tools),
        images=media,
        estimated_tokens=_text_tokens(request, parts) + media * IMAGE_TOKENS + _tool_tokens(tools),
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        now=now,
        random=random_of(request_id),
    )


def random_of(request_id: str) -> float:
    """A number in [0, 1) that belongs to the id: evenly spread, and always the same for the same id."""
    return int.from_bytes(sha256(request_id.encode()).digest()[:6]) / 2**48


def _chosen(headers: RawHeaders) -> dict[str, str]:
    named = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)
    return {name: value for name, value in named if is_told(name)}


def is_told(name: str) -> bool:
    """Whether policies are told of a header, by its name in lower case."""
    return name == "user-agent" or (name.startswith("x-") and name not in _SECRET_HEADERS)


def _parts(messages: Iterable[Mapping[str, Any]]) -> Iterable[object]:
    for message in messages:
        content = message.get("content")
        if isinstance(content, list):
            yield from content
        else:
            yield content


def _text_tokens(request: Request, parts: Iterable[object]) -> int:
    return sum(map(_tokens, _texts(request, parts)))


def _texts(request: Request, parts: Iterable[object]) -> Iterable[object]:
    if isinstance(request, ChatRequest):
        return (part.get("text") if isinstance(part, Mapping) else part for part in parts)
    return _listed(request.body["prompt" if isinstance(request, TextRequest) else "input"])


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else [value]


def _tokens(text: object) -> int:
    """Of a text by its length; of a token, or a list of them, as many as they are."""
    match text:
        case str():
            return -(-len(text) // CHARACTERS_PER_TOKEN)
        case list():
            return len(text)
        case int():
            return 1
        case _:
            return 0


def _tool_tokens(tools: Sequence[object]) -> int:
    return len(orjson.dumps(tools)) // TOOL_BYTES_PER_TOKEN if tools else 0
