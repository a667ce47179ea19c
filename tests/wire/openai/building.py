"""Chat requests for tests, and what a dialect makes of them."""

import copy
from typing import Any

import orjson

from clawgw.wire.codec import UpstreamRequest, WireTarget
from clawgw.wire.failure import Failure, WireError
from clawgw.wire.openai.dialects import Dialect
from clawgw.wire.openai.request import build_chat
from clawgw.wire.request import ChatRequest

USER = {"role": "user", "content": "Hi"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def request(**body: Any) -> ChatRequest:
    """A checked request; one message unless `messages` are given."""
    body = {"model": "asked", "messages": [USER], **body}
    return ChatRequest(body, "asked", bool(body.get("stream")), include_usage=False)


def built(dialect: Dialect, model: str, target: WireTarget | None = None, /, **body: Any) -> UpstreamRequest:
    """The request for `model`; the caller's own body stays as it was."""
    asked = request(**body)
    before = copy.deepcopy(asked.body)
    result = build_chat(asked, target or WireTarget(dialect.name, model), dialect)
    assert asked.body == before
    return result


def sent(dialect: Dialect, model: str, **body: Any) -> dict[str, Any]:
    """The body that goes out, without the model and, where they are the usual one, the messages."""
    decoded: dict[str, Any] = orjson.loads(built(dialect, model, **body).body)
    assert decoded.pop("model") == model
    if decoded["messages"] == [USER]:
        del decoded["messages"]
    return decoded


def messages_sent(dialect: Dialect, model: str, *messages: dict[str, Any], **body: Any) -> Any:
    """The messages that go out."""
    return orjson.loads(built(dialect, model, messages=list(messages), **body).body)["messages"]


def refused(dialect: Dialect, model: str, **body: Any) -> Failure:
    """Why the target is skipped."""
    try:
        built(dialect, model, **body)
    except WireError as error:
        return error.failure
    raise AssertionError("nothing was refused")
