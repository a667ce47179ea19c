"""A plain Gemini answer as a `chat.completion`.

The message holds `content`, `reasoning_content`, `tool_calls`, `images` (OpenRouter's shape), `annotations`, `refusal`
and `extra_content.google`, each only where there is any; `content` alone is always there.
"""

from typing import Any

from clawgw.wire.codec import Completion, WireTarget
from clawgw.wire.gemini.answer import Addition, Answer, begin_answer, decode_responses, raise_error
from clawgw.wire.json_body import invalid

Json = dict[str, Any]


def parse_chat(data: bytes, target: WireTarget, now: float) -> Completion:
    """A whole 2xx body. Raises `WireError`."""
    responses = decode_responses(data)
    answer = begin_answer(data, responses[0] if responses else {}, target, now)
    additions = [addition for response in responses for addition in _read(answer, response)]
    for candidate in answer.choices.values():
        candidate.end_of_body()
    if not answer.is_whole:
        raise invalid("The upstream's answer has no candidate that is whole.")
    choices = [_choice(*ending, additions) for ending in answer.endings()]
    body = {
        "id": answer.heading.id,
        "object": "chat.completion",
        "created": answer.heading.created,
        "model": answer.heading.model,
        "choices": choices,
    }
    if answer.usage:
        body["usage"] = answer.usage.body
    return Completion(body, answer.usage, choices[0]["finish_reason"])


def _read(answer: Answer, response: Json) -> list[Addition]:
    raise_error(response)
    return list(answer.read(response))


def _choice(index: int, annotations: list[Json], finish_reason: str, additions: list[Addition]) -> Json:
    message: Json = {"role": "assistant", "content": None}
    logprobs: Json = {}
    for addition in additions:
        if addition.choice == index:
            _merge(message, addition.delta)
            _merge(logprobs, addition.logprobs or {})
    if annotations:
        message["annotations"] = annotations
    for call in message.get("tool_calls", ()):
        del call["index"]
    if not message.get("tool_calls"):
        message["content"] = message["content"] or ""
    return {"index": index, "message": message, "logprobs": logprobs or None, "finish_reason": finish_reason}


def _merge(message: Json, delta: Json) -> None:
    """Strings and lists continue, except that of several signatures the last is the message's."""
    for key, value in delta.items():
        match message.get(key), value:
            case dict() as before, dict():
                _merge(before, value)
            case list() as before, list():
                before += value
            case str() as before, str() if key != "thought_signature":
                message[key] = before + value
            case _:
                message[key] = value
