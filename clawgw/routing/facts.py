"""What a policy may know of a request, taken from it. Only made where something decides by it."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType

from clawgw.config.callers import NOBODY, Caller
from clawgw.policy import RequestFacts
from clawgw.tokens.prompt import Prompt
from clawgw.wire.request import ChatRequest

RawHeaders = Sequence[tuple[bytes, bytes]]

_SECRET_HEADERS = {"x-api-key", "x-goog-api-key"}
_INITIALS = b"uUxX"
"""No other names are told."""


def facts_of(  # noqa: PLR0913 - a fact for each place it comes from
    prompt: Prompt,
    endpoint: str,
    *,
    request_id: str,
    headers: RawHeaders,
    now: float,
    caller: Caller = NOBODY,
    likely_model: str | None = None,
) -> RequestFacts:
    """The facts of a checked request, by its prompt. `now` is in Unix seconds.

    `likely_model` is the one in whose tokens the prompt is estimated, where it is not the one that the client names.
    """
    request, body = prompt.request, prompt.request.body
    return RequestFacts(
        model=request.model,
        endpoint=endpoint,
        stream=request.stream,
        user=body.get("user"),
        key=caller.name,
        labels=MappingProxyType(caller.labels),
        metadata=MappingProxyType(body.get("metadata") or {}),
        headers=MappingProxyType(told_headers(headers)),
        tools=len(body.get("tools") or ()) if isinstance(request, ChatRequest) else 0,
        images=len(prompt.content.media),
        estimated_tokens=prompt.rough(likely_model or request.model),
        max_tokens=request.max_tokens,
        now=now,
        random=random_of(request_id),
    )


def random_of(request_id: str) -> float:
    """A number in [0, 1) that belongs to the id: evenly spread, and always the same for the same id."""
    return int.from_bytes(sha256(request_id.encode()).digest()[:6]) / 2**48


def told_headers(headers: RawHeaders) -> dict[str, str]:
    """The headers that policies are told of, by their names in lower case."""
    told = {}
    for raw, value in headers:
        if raw[:1] in _INITIALS and (name := _told_name(raw)):
            told[name] = value.decode("latin-1")
    return told


@lru_cache(maxsize=1024)
def _told_name(raw: bytes) -> str | None:
    name = raw.decode("latin-1").lower()
    return name if is_told(name) else None


def is_told(name: str) -> bool:
    """Whether policies are told of a header, by its name in lower case."""
    return name == "user-agent" or (name.startswith("x-") and name not in _SECRET_HEADERS)
