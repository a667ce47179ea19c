"""What the built-in echo says to a chat request, whole and as a stream: the same request, the same answer.

It answers with the text of the last user's message (a tool's result, where that came last; a JSON document, where one
is asked for), calls the first function it is offered or the one that is named, and thinks for a moment where
`reasoning_effort` is given. Stop sequences and token limits hold.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from attrs import frozen

from clawgw.errors import InvalidRequest
from clawgw.wire.chunks import ChunkBuilder
from clawgw.wire.echo.schema_sample import sample
from clawgw.wire.echo.tokens import MAX_TOKENS, EchoAnswer, Said, count_tokens, name_of, say, split_tokens, usage_of
from clawgw.wire.events import Done, Event, UsageReport
from clawgw.wire.json_body import get_object, get_objects, get_text
from clawgw.wire.request import ChatRequest

_THOUGHT = split_tokens("The user would like to hear that again.")
_NO_TEXT = "(no text)"
_RESULT_ROLES = frozenset({"tool", "function"})


@frozen
class _Reply:
    """What every choice says. `said` are a call's arguments where a function is called."""

    said: Said
    thought: Sequence[str]
    function: str | None
    finish_reason: str


def answer_chat(request: ChatRequest, now: float) -> EchoAnswer:
    """The answer, `created` at `now`. Raises `InvalidRequest` where `tool_choice` names a function not offered."""
    choices = request.body.get("n") or 1
    reply = _reply(request.body, MAX_TOKENS // choices)
    name = name_of(request.body)
    head: dict[str, Any] = {"id": f"chatcmpl-{name}", "model": request.model, "created": int(now)}
    thought = choices * len(reply.thought)
    prompt = sum(count_tokens(_text(message)) for message in request.body["messages"])
    usage = usage_of(prompt, thought + choices * len(reply.said.tokens), thought)
    listed = [
        {
            "index": index,
            "message": _message(reply, name, index),
            "logprobs": None,
            "finish_reason": reply.finish_reason,
        }
        for index in range(choices)
    ]
    body = {**head, "object": "chat.completion", "choices": listed, "usage": usage.body}

    def events() -> Iterator[tuple[Event, int]]:
        builder = ChunkBuilder(**head)
        for index in range(choices):
            for delta, tokens in _deltas(reply, name, index):
                yield builder.delta(delta, index), tokens
            yield builder.finish(reply.finish_reason, index), 0
        yield UsageReport(usage), 0
        yield Done(), 0

    return EchoAnswer(body, usage, events())


def _reply(body: dict[str, Any], most: int) -> _Reply:
    most = min(most, body.get("max_completion_tokens") or body.get("max_tokens") or most)
    thought = _THOUGHT[:most] if (body.get("reasoning_effort") or "none") != "none" else []
    function = _called(body)
    text = _heard(body["messages"])
    if function is not None:
        arguments = sample({"type": "object", **get_object(function, "parameters")}, text)
        said = say(_json(arguments), None, most - len(thought))
        finish_reason = "tool_calls" if said.finish_reason == "stop" else said.finish_reason
        return _Reply(said, thought, function["name"], finish_reason)
    said = say(_in_format(text, get_object(body, "response_format")), body.get("stop"), most - len(thought))
    return _Reply(said, thought, None, said.finish_reason)


def _called(body: dict[str, Any]) -> dict[str, Any] | None:
    """The function that is called; None where the answer is text."""
    offered = (tool["function"] for tool in body.get("tools") or () if tool.get("type", "function") == "function")
    functions: dict[str, dict[str, Any]] = {function["name"]: function for function in offered}
    if not functions or body["messages"][-1]["role"] in _RESULT_ROLES:
        return None
    match body.get("tool_choice"):
        case {"type": "function", "function": {"name": name}}:
            if name not in functions:
                raise InvalidRequest(f"`tools` has no function {name!r}.", param="tool_choice")
            return functions[name]
        case {"type": "allowed_tools", "allowed_tools": {"tools": allowed}}:
            names = (get_text(get_object(tool, "function"), "name") for tool in allowed)
            return next((functions[name] for name in names if name in functions), None)
        case "none" | {"type": _}:
            return None
    return next(iter(functions.values()))


def _heard(messages: Sequence[dict[str, Any]]) -> str:
    """The text that is echoed: the last tool's result, user's message, or whatever came last."""
    users = [message for message in messages if message["role"] == "user"]
    heard = messages[-1] if messages[-1]["role"] in _RESULT_ROLES or not users else users[-1]
    return _text(heard) or _NO_TEXT


def _text(message: dict[str, Any]) -> str:
    return get_text(message, "content") or "".join(get_text(part, "text") for part in get_objects(message, "content"))


def _in_format(text: str, response_format: dict[str, Any]) -> str:
    match response_format:
        case {"type": "json_object"}:
            return _json({"text": text})
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return _json(sample(schema, text))
        case {"type": "json_schema"}:
            return _json({"text": text})
    return text


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _message(reply: _Reply, name: str, index: int) -> dict[str, Any]:
    text = "".join(reply.said.tokens)
    message: dict[str, Any] = {"role": "assistant", "content": None if reply.function else text, "refusal": None}
    if reply.thought:
        message["reasoning_content"] = "".join(reply.thought)
    if reply.function:
        message["tool_calls"] = [_call(reply.function, text, name, index)]
    return message


def _call(function: str, arguments: str, name: str, index: int) -> dict[str, Any]:
    return {"id": f"call_{name}{index}", "type": "function", "function": {"name": function, "arguments": arguments}}


def _deltas(reply: _Reply, name: str, index: int) -> Iterator[tuple[dict[str, Any], int]]:
    """What the message is put together from, and the tokens of each piece."""
    yield {"content": None if reply.function else ""}, 0
    for token in reply.thought:
        yield {"reasoning_content": token}, 1
    if reply.function:
        yield {"tool_calls": [{"index": 0, **_call(reply.function, "", name, index)}]}, 0
    for token in reply.said.tokens:
        yield (
            {"tool_calls": [{"index": 0, "function": {"arguments": token}}]} if reply.function else {"content": token},
            1,
        )
