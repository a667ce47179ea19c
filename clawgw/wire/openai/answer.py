"""A whole answer of an OpenAI-shaped upstream: its own body, changed only where it is not OpenAI's shape.

An error inside a 200 (OpenRouter, Azure) is a failure like any other, and an answer without choices is none.
"""

from collections.abc import Sequence
from typing import Any

from clawgw.wire.codec import Completion, WireTarget
from clawgw.wire.failure import WireError
from clawgw.wire.json_body import decode_json_object, get_count, get_object, get_objects, get_text, invalid
from clawgw.wire.openai.errors import error_failure, error_in
from clawgw.wire.openai.message import (
    BROKEN_OFF,
    FAILED,
    arguments_text,
    call_id,
    finish_reason,
    fit_message,
    made_up_id,
)
from clawgw.wire.usage import Usage, usage_from_body


def parse_chat(body: bytes, target: WireTarget, now: float) -> Completion:
    """A `chat.completion`. Raises `WireError`."""
    answer, choices = _answer(body)
    for index, choice in enumerate(choices):
        choice.setdefault("index", index)
        message = _message(choice)
        fit_message(message)
        message["role"] = "assistant"
        message.setdefault("content", None)
        if "tool_calls" in message:
            _fit_calls(message, id_stem=f"{get_text(answer, 'id')}_{index}")
        _fit_finish(choice, "tool_calls" if "tool_calls" in message else "stop")
    return _completion(answer, choices, "chat.completion", target, now)


def parse_text(body: bytes, target: WireTarget) -> Completion:
    """A `text_completion`. Raises `WireError`."""
    answer, choices = _answer(body)
    for choice in choices:
        if not isinstance(choice.get("text"), str):
            raise invalid("The upstream's answer has a choice without a text.")
        _fit_finish(choice, "stop")
    return _completion(answer, choices, "text_completion", target, 0.0)


def _answer(body: bytes) -> tuple[dict[str, Any], Sequence[dict[str, Any]]]:
    answer = decode_json_object(body)
    choices = get_objects(answer, "choices")
    for part in (answer, *choices):
        error = error_in(part)
        if error is not None:
            raise WireError(error_failure(error))
    if not choices or len(choices) != len(answer["choices"]):
        raise invalid("The upstream's answer has no choices.")
    return answer, choices


def _message(choice: dict[str, Any]) -> dict[str, Any]:
    """The choice's message; where Azure's filter took all of it (`content_filter`), there is none."""
    message = choice.get("message")
    if message is None and choice.get("finish_reason") == "content_filter":
        message = choice["message"] = {}
    if not isinstance(message, dict):
        raise invalid("The upstream's answer has a choice without a message.")
    return message


def _fit_calls(message: dict[str, Any], id_stem: str) -> None:
    calls = get_objects(message, "tool_calls")
    for index, call in enumerate(calls):
        _fit_call(call, f"call_{id_stem}_{index}")
    del message["tool_calls"]
    if calls:
        message["tool_calls"] = calls


def _fit_call(call: dict[str, Any], made_up: str) -> None:
    call["id"] = call_id(call) or made_up
    call.setdefault("type", "function")
    function = call.get("function")
    if isinstance(function, dict):
        function["arguments"] = arguments_text(function.get("arguments")) or "{}"


def _fit_finish(choice: dict[str, Any], unsaid: str) -> None:
    """The first of OpenAI's vision models says in `finish_details` how it ended."""
    reason = choice.get("finish_reason") or get_text(get_object(choice, "finish_details"), "type")
    choice["finish_reason"] = finish_reason(reason) if reason else unsaid
    if choice["finish_reason"] == FAILED:
        raise WireError(BROKEN_OFF)


def _completion(
    answer: dict[str, Any], choices: Sequence[dict[str, Any]], object_name: str, target: WireTarget, now: float
) -> Completion:
    answer["id"] = get_text(answer, "id") or made_up_id(answer, now)
    answer["object"] = object_name
    answer["created"] = get_count(answer, "created") or int(now)
    answer["model"] = get_text(answer, "model") or target.model
    usage = _usage(answer, choices)
    if usage is not None:
        answer["usage"] = usage.body
    return Completion(answer, usage, choices[0]["finish_reason"])


def _usage(answer: dict[str, Any], choices: Sequence[dict[str, Any]]) -> Usage | None:
    for place in (answer, get_object(answer, "x_groq"), *choices):
        if said := get_object(place, "usage"):
            return usage_from_body(said, get_text(answer, "service_tier"))
    return None
