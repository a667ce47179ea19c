"""One assistant message or delta of an OpenAI-shaped upstream, brought to OpenAI's own shape in place.

What differs from provider to provider: Mistral's content is a list of chunks, with reasoning among them
(https://docs.mistral.ai/capabilities/reasoning/); Groq and OpenRouter say `reasoning` where clients know
`reasoning_content`; arguments may come as an object; finish reasons have other names.
"""

from hashlib import sha256
from typing import Any

import orjson

from clawgw.wire.failure import Failure, Kind
from clawgw.wire.json_body import get_objects, get_text

FAILED = "error"
"""The finish reason of an answer that broke off."""

BROKEN_OFF = Failure(Kind.SERVER, "The upstream broke its answer off with an error.")

_FINISH_REASONS = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "function_call": "function_call",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "model_length": "length",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "error": FAILED,
    "insufficient_system_resource": FAILED,  # DeepSeek
}


def finish_reason(said: Any) -> str:
    """OpenAI's word for a finish reason, "stop" for one that nobody knows, or `FAILED`."""
    return _FINISH_REASONS.get(said, "stop") if isinstance(said, str) else "stop"


def fit_message(message: dict[str, Any]) -> None:
    """Make content a string, and say the reasoning under `reasoning_content` too."""
    if isinstance(message.get("content"), list):
        _split_content(message)
    if not message.get("reasoning_content") and ("reasoning" in message or "reasoning_details" in message):
        _name_reasoning(message)


def _name_reasoning(message: dict[str, Any]) -> None:
    """OpenRouter's details say it again, with signatures; where they alone say it, their texts are the reasoning."""
    details = get_objects(message, "reasoning_details")
    told = "".join(get_text(detail, "text") or get_text(detail, "summary") for detail in details)
    reasoning = get_text(message, "reasoning") or told
    if reasoning:
        message["reasoning_content"] = reasoning


def _split_content(message: dict[str, Any]) -> None:
    chunks = get_objects(message, "content")
    message["content"] = "".join(get_text(chunk, "text") for chunk in chunks if chunk.get("type") == "text")
    thoughts = [part for chunk in chunks if chunk.get("type") == "thinking" for part in get_objects(chunk, "thinking")]
    if thoughts:
        message["reasoning_content"] = "".join(get_text(part, "text") for part in thoughts)


def call_id(call: dict[str, Any]) -> str:
    """A tool call's id; "" where there is none, for which Mistral writes "null" (its default in `ToolCall`)."""
    given = get_text(call, "id")
    return "" if given == "null" else given


def arguments_text(arguments: Any) -> str:
    """Arguments as the JSON text that clients parse; "" where there are none."""
    if isinstance(arguments, str):
        return arguments
    return orjson.dumps(arguments).decode() if arguments else ""


def made_up_id(answer: dict[str, Any], now: float) -> str:
    """An id for an answer, or a stream by its first chunk, that came without one."""
    return "chatcmpl-" + sha256(orjson.dumps([answer, now])).hexdigest()[:24]
