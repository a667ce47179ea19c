"""Whether an upstream was sent what its client asked: at the right place, with the right key, and the right body.

To an OpenAI-shaped upstream goes the client's body as it is, but for the differences that `wire-formats.md` (sections
B1 and B4 to B7) describes and a client was told of; they are rows of a table here, one for each.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fake_upstream import Received
from tests.recordings.client import Got
from tests.recordings.exchange import Exchange

KEY = "sk-replayed"
"""The gateway's key for every upstream."""

_PATHS = {"chat": "/chat/completions", "text": "/completions", "embeddings": "/embeddings"}
_KEY_HEADERS = {"anthropic": ("x-api-key", KEY), "gemini": ("x-goog-api-key", KEY)}
_BEARER = ("authorization", f"Bearer {KEY}")

_RENAMES = {
    "openai": {"max_tokens": "max_completion_tokens"},
    "mistral": {"max_completion_tokens": "max_tokens", "seed": "random_seed", "dimensions": "output_dimension"},
}
"""Wire → the client's name of a field → the upstream's."""

_ANY = r".*"
_DIFFERENCES: tuple[tuple[str, str, str], ...] = (
    # wires, what happens to a leaf, its path
    (_ANY, "added", r"stream_options\.include_usage"),
    (_ANY, "changed", r"stream_options\.include_usage"),
    # What OpenAI's own models answer 400 to: reasoning in messages, an effort left open beside tools
    ("openai", "missing", r"messages\.\d+\.reasoning(_content|_details)?(\..*)?"),
    ("openai", "added", r"reasoning_effort"),
    # "no nulls in assistant messages"; a null says "not given" to all three
    ("groq|mistral|moonshot", "null missing", _ANY),
    ("groq", "missing", r"messages\.\d+\.(name|reasoning(_content|_details)?(\..*)?)"),
    ("mistral", "missing", r"stream_options\..*|messages\.\d+\.name"),
    ("mistral", "changed", r"messages\.\d+\.role|messages\.\d+\.(tool_call_id|tool_calls\.\d+\.id)"),
    ("mistral", "missing", r"messages\.\d+\.reasoning(_content|_details)?(\..*)?"),
    ("mistral", "added", r"messages\.\d+\.prefix|tools\.\d+\.function\.parameters\..*"),
    ("mistral", "missing", r"messages\.\d+\.tool_calls(\.\d+\.index)?"),
    # Audio goes as plain base64
    ("mistral", "added", r"messages\.\d+\.content\.\d+\.input_audio"),
    ("mistral", "missing", r"messages\.\d+\.content\.\d+\.input_audio\.(data|format)"),
    ("moonshot", "missing", r"tools\.\d+\.function\.strict"),
    ("moonshot", "added", r"messages\.\d+\.reasoning_content"),
)


def complaints_about_sent(exchange: Exchange, got: Got, received: Received) -> Iterator[str]:
    """All that is wrong with what the upstream received."""
    name, value = _KEY_HEADERS.get(exchange.wire, _BEARER)
    if received.headers.get(name) != value:
        yield f"sent {name}: {received.headers.get(name)!r}"
    if "sk-client" in str(received.headers):
        yield "the client's key went on"
    path = received.path.partition("/")[2].partition("/")[2]
    if f"/{path}" != (wanted := _path(exchange)):
        yield f"sent to /{path}, not to {wanted}"
    if exchange.same_dialect:
        yield from _about_body(exchange, got, json.loads(received.body))


def _path(exchange: Exchange) -> str:
    match exchange.wire, exchange.operation, exchange.stream:
        case "anthropic", _, _:
            return "/messages"
        case "gemini", "embeddings", _:
            return f"/models/{exchange.model}:batchEmbedContents"
        case "gemini", _, True:
            return f"/models/{exchange.model}:streamGenerateContent?alt=sse"
        case "gemini", _, _:
            return f"/models/{exchange.model}:generateContent"
    return _PATHS[exchange.operation]


def _about_body(exchange: Exchange, got: Got, body: dict[str, Any]) -> Iterator[str]:
    dropped = set(got.headers.get("x-clawgw-dropped", "").replace(" ", "").split(",")) - {""}
    if unknown := dropped - set(got.sent):
        yield f"x-clawgw-dropped names what was not asked: {sorted(unknown)}"
    asked = {name: value for name, value in got.sent.items() if name not in dropped} | {"model": exchange.model}
    if exchange.wire == "mistral" and exchange.operation == "chat":
        asked, body = _without_bridges(asked), _without_bridges(body)
    before, after = _leaves(_renamed(exchange.wire, asked, body)), _leaves(body)
    for path in sorted(before.keys() | after.keys()):
        what = _difference(path, before, after)
        if what and not any(
            re.fullmatch(wires, exchange.wire) and verb == what and re.fullmatch(pattern, path)
            for wires, verb, pattern in _DIFFERENCES
        ):
            yield f"sent: {path} {what}: {before.get(path)!r:.80} → {after.get(path)!r:.80}"


def _difference(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    if path not in before:
        return "added"
    if path not in after:
        return "null missing" if before[path] is None else "missing"
    same = before[path] == after[path] and isinstance(before[path], bool) == isinstance(after[path], bool)
    return None if same else "changed"


def _renamed(wire: str, asked: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    names = {old: new for old, new in _RENAMES.get(wire, {}).items() if new in sent and new not in asked}
    return {names.get(name, name): value for name, value in asked.items()}


def _without_bridges(body: Mapping[str, Any]) -> dict[str, Any]:
    """Without what stands between a tool's message and a user's: Mistral wants an assistant's turn there (trap 20)."""
    messages = body["messages"]
    roles = ["", *(message["role"] for message in messages), ""]
    bridges = [roles[at : at + 3] == ["tool", "assistant", "user"] for at in range(len(messages))]
    return {**body, "messages": [one for one, bridge in zip(messages, bridges, strict=True) if not bridge]}


def _leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Each leaf by its path; an empty object or list is a leaf."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: dict[str, Any] = {}
    for key, inner in items:
        found |= _leaves(inner, f"{path}.{key}" if path else str(key))
    return found or {path: value}
