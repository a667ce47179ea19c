"""A chat's messages as Gemini's `systemInstruction` and `contents`.

System and developer messages all go to `systemInstruction`, wherever they stand. Turns of one role in a row are merged;
only a turn of function responses stays by itself, because their number has to match the calls before it. What OpenAI
has no word for comes back in `extra_content.google` (https://ai.google.dev/gemini-api/docs/openai): thought signatures
on the call or the message, and the parts of Google's own tools.
Sources: https://ai.google.dev/api/caching#Content, https://ai.google.dev/gemini-api/docs/thought-signatures.
"""

from itertools import groupby
from typing import Any

import orjson
from attrs import define, field

from clawgw.wire.gemini.media import Part, media_part, unsupported
from clawgw.wire.gemini.models import ModelTraits
from clawgw.wire.json_body import get_object, get_objects, get_text

SERVER_PARTS = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
"""Kinds of parts that Google's own tools leave in an answer; the next turn has to hold them again."""

_FOREIGN_SIGNATURE = "skip_thought_signature_validator"
"""Google's word for a call that another model made."""

Message = dict[str, Any]


@define
class Contents:
    """The translation of one list of messages. Raises `WireError` of kind UNSUPPORTED."""

    traits: ModelTraits
    system: list[Part] = field(factory=list, init=False)
    turns: list[dict[str, Any]] = field(factory=list, init=False)
    _called: dict[str, tuple[int, str]] = field(factory=dict, init=False)
    """The place among all calls, and the function's name, by the id of a call."""
    _calls: int = field(default=0, init=False)

    def add(self, messages: list[Message]) -> None:
        """The conversation. Results go in the order of their calls: before Gemini 3 nothing else tells them apart."""
        for are_results, run in groupby(messages, lambda message: message["role"] == "tool"):
            for message in sorted(run, key=self._place) if are_results else run:
                self._add(message)

    def _place(self, result: Message) -> int:
        return self._called.get(result["tool_call_id"], (self._calls, ""))[0]

    def _add(self, message: Message) -> None:
        match message["role"]:
            case "system" | "developer":
                self.system += [{"text": text} for text in _texts(message)]
            case "user":
                self._extend("user", self._parts(message))
            case "assistant":
                self._extend("model", self._answer(message))
            case "tool":
                self._extend("user", [self._result(message)])
            case role:
                raise unsupported(f"Gemini takes no message of role {role!r}; use tools.", "messages")

    def body(self) -> dict[str, Any]:
        """The fields of the request. A request has to have a turn, if an empty one."""
        turns = self.turns or [{"role": "user", "parts": [{"text": ""}]}]
        if self.traits.call_ids:
            for turn in turns:
                _sign_first_call(turn)
        return {"contents": turns, **({"systemInstruction": {"parts": self.system}} if self.system else {})}

    def _extend(self, role: str, parts: list[Part]) -> None:
        last = self.turns[-1] if self.turns else None
        if last and last["role"] == role and _are_results(last["parts"]) == _are_results(parts):
            last["parts"] += parts
        elif parts:
            self.turns.append({"role": role, "parts": parts})

    def _parts(self, message: Message) -> list[Part]:
        content = message.get("content")
        if isinstance(content, str):
            return [{"text": content}]
        return [self._part(part) for part in content or ()]

    def _part(self, part: dict[str, Any]) -> Part:
        match part:
            case {"type": "text", "text": str(text)} | {"type": "refusal", "refusal": str(text)}:
                return {"text": text}
        return media_part(part, self.traits)

    def _answer(self, message: Message) -> list[Part]:
        """Google's tools first, then what was said, then the calls: the order in which they are answered."""
        if message.get("audio") or message.get("function_call"):
            raise unsupported("Gemini takes no audio or function_call of an earlier answer.", "messages")
        google = _google(message)
        parts = [dict(part) for part in get_objects(google, "parts") if any(kind in part for kind in SERVER_PARTS)]
        said = [part for part in self._parts(message) if part != {"text": ""}]
        said += [{"text": refusal}] if (refusal := get_text(message, "refusal")) else []
        if signature := get_text(google, "thought_signature"):
            said = said or [{"text": ""}]
            said[-1]["thoughtSignature"] = signature
        return parts + said + [self._call(call) for call in message.get("tool_calls") or ()]

    def _call(self, call: dict[str, Any]) -> Part:
        function = call.get("function")
        if not isinstance(function, dict):
            raise unsupported("Gemini takes function calls only, no custom tool calls.", "messages")
        self._called[call["id"]] = (self._calls, function["name"])
        self._calls += 1
        given: dict[str, Any] = {"id": call["id"]} if self.traits.call_ids else {}
        part: Part = {"functionCall": {**given, "name": function["name"], "args": _arguments(function)}}
        if signature := get_text(_google(call), "thought_signature"):
            part["thoughtSignature"] = signature
        return part

    def _result(self, message: Message) -> Part:
        call_id = message["tool_call_id"]
        name = self._called.get(call_id, (0, ""))[1] or message.get("name")
        if not name:
            raise unsupported(f"No earlier message has a tool call with the id {call_id!r}.", "messages")
        given = {"id": call_id} if self.traits.call_ids else {}
        return {"functionResponse": {**given, "name": name, "response": _response(message)}}


def _texts(message: Message) -> list[str]:
    """Of a message that may hold nothing but text."""
    content = message.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    if any(part["type"] != "text" for part in parts):
        raise unsupported(f"Gemini takes only text in a {message['role']} message.", "messages")
    return [part["text"] for part in parts]


def _response(message: Message) -> dict[str, Any]:
    text = "".join(_texts(message))
    value = _json_object(text)
    return {"output": text} if value is None else value


def _are_results(parts: list[Part]) -> bool:
    return any("functionResponse" in part for part in parts)


def _sign_first_call(turn: dict[str, Any]) -> None:
    first = next((part for part in turn["parts"] if "functionCall" in part), None)
    if first is not None:
        first.setdefault("thoughtSignature", _FOREIGN_SIGNATURE)


def _google(source: dict[str, Any]) -> dict[str, Any]:
    return get_object(get_object(source, "extra_content"), "google")


def _arguments(function: dict[str, Any]) -> dict[str, Any]:
    """Arguments are a string of JSON; an empty one is an empty object."""
    value = _json_object(get_text(function, "arguments").strip() or "{}")
    if value is None:
        raise unsupported("Gemini takes tool calls whose arguments are a JSON object.", "messages")
    return value


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
