"""One recorded exchange, made ready: what the client asks, what the upstream answers, what must come of it.

An OpenAI-shaped exchange is asked with its recorded request. Of the others the answer is what is replayed: they are
asked with a small request of OpenAI's that fits it (the requests themselves are the golden pairs' business).
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from attrs import frozen

from tests.recordings import oracle_anthropic, oracle_gemini, oracle_openai
from tests.recordings.expected import Answer, Expected, Faults, Vectors
from tests.recordings.faults import INVALID, faults
from tests.shared import exchanges

Operation = Literal["chat", "text", "embeddings"]

WIRES = {
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "gemini",
    "mistral": "mistral",
    "groq": "groq",
    "openrouter": "openrouter",
    "moonshot": "moonshot",
    "azure-openai": "openai",
    "deepseek": "openai",
    "other-compat": "openai",
    "vertex": "gemini",
}
"""The wire format that each folder's exchanges are replayed with."""

EXTRAS = frozenset({"azure-openai", "vertex", "deepseek", "other-compat"})
"""Providers outside the seven, in a table of their own."""

_ORACLES = {"anthropic": oracle_anthropic, "gemini": oracle_gemini}


@frozen
class Exchange:
    """`request` is the client's body but for `model`; `payload` the recorded answer's body as it is served."""

    collection: str
    provider: str
    name: str
    operation: Operation
    model: str
    request: Mapping[str, Any]
    stream: bool
    status: int
    headers: Sequence[tuple[str, str]]
    payload: bytes
    expected: Expected

    @property
    def wire(self) -> str:
        return WIRES[self.provider]

    @property
    def same_dialect(self) -> bool:
        """Whether the client sends the very request that was recorded."""
        return self.wire not in _ORACLES

    @property
    def title(self) -> str:
        return f"{self.collection}/{self.provider}/{self.name}"


@frozen
class NotReplayed:
    """An exchange of an endpoint that clients of the gateway cannot ask for."""

    collection: str
    provider: str
    name: str
    endpoint: str


def read_all() -> list[Exchange | NotReplayed]:
    """Every recorded and documented exchange."""
    return [
        _read(collection, recorded) for collection in ("recordings", "documented") for recorded in exchanges(collection)
    ]


def _read(collection: str, recorded: Mapping[str, Any]) -> Exchange | NotReplayed:
    operation = _operation(recorded)
    if operation is None:
        return NotReplayed(collection, recorded["provider"], recorded["name"], recorded["endpoint"])
    response, wire = recorded["response"], WIRES[recorded["provider"]]
    stream = _is_stream(recorded)
    expected = _expected(wire, operation, response, stream=stream)
    body = recorded["request"]["body"]
    own = isinstance(body, dict) and wire not in _ORACLES
    request = {name: value for name, value in body.items() if name != "model"} if own else _small(operation, expected)
    return Exchange(
        collection=collection,
        provider=recorded["provider"],
        name=recorded["name"],
        operation=operation,
        model=_model(recorded),
        request={**request, "stream": True} if stream else request,
        stream=stream,
        status=response["status"],
        headers=_headers(response["headers"]),
        payload=response["raw"].encode() if "raw" in response else _payload(response["body"]),
        expected=expected,
    )


def _operation(recorded: Mapping[str, Any]) -> Operation | None:
    """By endpoint; of the old completions only OpenAI's own path, not Mistral's agents or an account's usage."""
    path = urlsplit(recorded["request"]["url"]).path
    match recorded["endpoint"]:
        case "chat":
            return "chat"
        case "embeddings":
            return "embeddings"
        case "completions-legacy" if re.search(r"(/v1|/deployments/[^/]+)/completions$", path):
            return "text"
    return None


def _is_stream(recorded: Mapping[str, Any]) -> bool:
    body = recorded["request"]["body"]
    asked = isinstance(body, dict) and body.get("stream") is True
    return asked or "streaming" in recorded["tags"] or "streamGenerateContent" in recorded["request"]["url"]


def _expected(wire: str, operation: Operation, response: Mapping[str, Any], *, stream: bool) -> Expected:
    if response["status"] >= 300:
        return faults(response["status"], response["body"], dict(_headers(response["headers"])))
    if operation == "embeddings":
        reader = oracle_gemini.read_embeddings if wire == "gemini" else oracle_openai.read_embeddings
        return reader(response["body"])
    match wire:
        case "anthropic":
            whole, of_stream = oracle_anthropic.read_message, oracle_anthropic.read_stream
        case "gemini":
            whole, of_stream = oracle_gemini.read_body, oracle_gemini.read_stream
        case _:
            whole, of_stream = oracle_openai.read_completion, oracle_openai.read_stream
    if "raw" in response:
        return of_stream(response["raw"])
    return whole(response["body"]) if _fits(wire, response["body"], stream=stream) else Faults((INVALID,))


def _fits(wire: str, body: Any, *, stream: bool) -> bool:
    """A stream that is one JSON body: Google's other framing of increments, or no answer to what was asked."""
    return not stream or wire == "gemini" or "error" in body


def _small(operation: Operation, expected: Expected) -> dict[str, Any]:
    if operation == "embeddings":
        count = len(expected.data) if isinstance(expected, Vectors) else 1
        return {"input": [f"text {number}" for number in range(count)]}
    if operation == "text":
        return {"prompt": "Hi"}
    request: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}
    if isinstance(expected, Answer):
        names = dict.fromkeys(call.name for choice in expected.choices.values() for call in choice.tool_calls)
        if names:
            request["tools"] = [_tool(name) for name in names]
        if len(expected.choices) > 1:
            request["n"] = len(expected.choices)
    return request


def _tool(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}


def _model(recorded: Mapping[str, Any]) -> str:
    body = recorded["request"]["body"] or {}
    in_url = re.search(r"/models/([^:/?]+):", recorded["request"]["url"])
    return in_url[1] if in_url else body.get("model") or "some-model"


def _headers(recorded: Mapping[str, str]) -> list[tuple[str, str]]:
    framing = {"content-length", "transfer-encoding", "content-encoding", "connection"}
    return [(name.lower(), value) for name, value in recorded.items() if name.lower() not in framing]


def _payload(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else json.dumps(body, ensure_ascii=False).encode()
