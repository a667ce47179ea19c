"""Requests in Mistral's dialect: its message shapes, its order of roles, its nine-character tool call ids.

Whatever field Mistral's schema does not have is a 422, so messages and parts are rebuilt from what it has. Sources:
https://docs.mistral.ai/api/, https://docs.mistral.ai/capabilities/reasoning/,
https://docs.mistral.ai/capabilities/function_calling/.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from clawgw.wire.openai.draft import Draft, matches

_ID = re.compile(r"[a-zA-Z0-9]{9}")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_REPLAYS_THOUGHTS = ("magistral*",)
_BETWEEN_TOOL_AND_USER = {"role": "assistant", "content": "OK."}
_REBUILT = frozenset({"role", "content", "tool_calls", "reasoning", "reasoning_content", "reasoning_details"})
_NO_PARAMETERS = {"type": "object", "properties": {}}


def mistral_id(tool_call_id: str) -> str:
    """Nine of `[a-zA-Z0-9]`, the only ids Mistral takes: its own as they are, another's by a hash of the whole.

    The same id always gives the same one, so a call and its result still match; a truncated one would collide.
    """
    if _ID.fullmatch(tool_call_id):
        return tool_call_id
    number = int.from_bytes(sha256(tool_call_id.encode()).digest())
    digits = []
    for _ in range(9):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(digits)


def fit_mistral(draft: Draft) -> None:
    """Rebuild messages, tools and the tool choice."""
    body = draft.body
    thinks = matches(draft.target.model, _REPLAYS_THOUGHTS) or body.get("reasoning_effort") == "high"
    messages = [_fit_message(message, thinks=thinks) for message in body["messages"]]
    body["messages"] = list(_in_order(messages))
    if body.get("tools"):
        body["tools"] = [_with_parameters(tool) for tool in body["tools"]]


def _in_order(messages: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """After a tool comes the assistant, and an assistant at the end is a prefix to go on from."""
    before = None
    for message in messages:
        if before == "tool" and message["role"] == "user":
            yield dict(_BETWEEN_TOOL_AND_USER)
        before = message["role"]
        yield message
    if before == "assistant":
        messages[-1]["prefix"] = True


def _fit_message(message: dict[str, Any], *, thinks: bool) -> dict[str, Any]:
    role = "system" if message["role"] == "developer" else message["role"]
    fitted = {key: value for key, value in message.items() if key not in _REBUILT}
    if role != "tool":
        fitted.pop("name", None)
    fitted |= {"role": role, "content": _content(message, thinks=thinks)}
    if message.get("tool_calls"):
        fitted["tool_calls"] = [_fit_call(call) for call in message["tool_calls"]]
    if "tool_call_id" in message:
        fitted["tool_call_id"] = mistral_id(message["tool_call_id"])
    return fitted


def _fit_call(call: dict[str, Any]) -> dict[str, Any]:
    return {"id": mistral_id(call["id"]), "type": "function", "function": call["function"]}


def _content(message: dict[str, Any], *, thinks: bool) -> Any:
    content = message.get("content")
    if isinstance(content, list):
        content = [_fit_part(part) for part in content]
    thought = message.get("reasoning_content") or message.get("reasoning")
    if not (thinks and thought and message["role"] == "assistant"):
        return content
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}] if content else []
    return [{"type": "thinking", "thinking": [{"type": "text", "text": thought}]}, *parts]


def _fit_part(part: dict[str, Any]) -> dict[str, Any]:
    match part:
        case {"type": "text", "text": text} | {"type": "refusal", "refusal": text}:
            return {"type": "text", "text": text}
        case {"type": "image_url", "image_url": image}:
            return {"type": "image_url", "image_url": image}
        case {"type": "input_audio", "input_audio": {"data": data}}:
            return {"type": "input_audio", "input_audio": data}
        case {"type": "file", "file": {"file_data": data, **file}}:
            name = {"document_name": file["filename"]} if file.get("filename") else {}
            return {"type": "document_url", "document_url": data, **name}
        case {"type": "file", "file": {"file_id": file_id}}:
            return {"type": "file", "file_id": file_id}
    return part


def _with_parameters(tool: dict[str, Any]) -> dict[str, Any]:
    if "function" not in tool:
        return tool
    return {**tool, "function": {"parameters": _NO_PARAMETERS, **tool["function"]}}
