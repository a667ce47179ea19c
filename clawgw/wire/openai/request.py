"""A chat request as an OpenAI-shaped provider wants it: the caller's body, changed only where the dialect says so."""

from collections.abc import Set as AbstractSet
from typing import Any

import orjson

from clawgw.wire.codec import UpstreamRequest, WireTarget
from clawgw.wire.openai.dialects import FOREIGN, Dialect, Rule
from clawgw.wire.openai.draft import Draft, matches, unsupported, without
from clawgw.wire.request import ChatRequest


def build_chat(request: ChatRequest, target: WireTarget, dialect: Dialect) -> UpstreamRequest:
    """Raises `WireError` of kind UNSUPPORTED."""
    draft = Draft({**request.body, "model": target.model}, target)
    _fill_defaults(draft)
    if not dialect.nulls:
        draft.body = _without_nulls(draft.body)
    for rule in dialect.rules:
        if not rule.fields.isdisjoint(draft.body):
            apply_rule(draft, rule)
    _fit_messages(draft, dialect)
    if dialect.function_tools_only:
        _fit_tools(draft)
    if dialect.fit is not None:
        dialect.fit(draft)
    _ask_for_usage(draft, request.stream and dialect.stream_options)
    return UpstreamRequest("/chat/completions", orjson.dumps(draft.body), dropped=draft.dropped(request.body))


def apply_rule(draft: Draft, rule: Rule) -> None:
    """Drop, refuse, replace and rename what `rule` says, if it is for this model."""
    if matches(draft.target.model, rule.models):
        draft.refuse(*rule.refuses)
        draft.drop(*rule.drops)
        for name, values in rule.values.items():
            draft.replace(name, values)
        for name, new_name in rule.renames.items():
            draft.rename(name, new_name)


def _fill_defaults(draft: Draft) -> None:
    """The configuration's defaults, where the request says nothing; the rules may drop them again."""
    body, temperature, max_tokens = draft.body, draft.target.default_temperature, draft.target.default_max_tokens
    if temperature is not None and body.get("temperature") is None:
        body["temperature"] = temperature
    if max_tokens is not None and body.get("max_tokens") is None and body.get("max_completion_tokens") is None:
        body["max_tokens"] = max_tokens


def _without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    """Without null fields, in the body and in its messages."""
    body = {key: value for key, value in body.items() if value is not None}
    body["messages"] = [
        {key: value for key, value in message.items() if value is not None} for message in body["messages"]
    ]
    return body


def _ask_for_usage(draft: Draft, ask: bool) -> None:  # noqa: FBT001 - its only caller reads well
    """Usage is wanted for the record, whether the client asked or not; the writer keeps it from who did not."""
    options = draft.body.pop("stream_options", None) or {}
    if ask:
        draft.body["stream_options"] = {**options, "include_usage": True}


def _fit_messages(draft: Draft, dialect: Dialect) -> None:
    drops, messages = _message_drops(dialect, draft.target.model), draft.body["messages"]
    draft.body["messages"] = [
        message if "tool_calls" not in message and drops.isdisjoint(message) else _fit_message(message, drops)
        for message in messages
    ]
    if dialect.part_refuses:
        for message in messages:
            _refuse_parts(draft.target, message, dialect)


def _message_drops(dialect: Dialect, model: str) -> AbstractSet[str]:
    drops = dialect.message_drops
    for rule in dialect.rules:
        if rule.message_drops and matches(model, rule.models):
            drops |= rule.message_drops
    return drops


def _fit_message(message: dict[str, Any], drops: AbstractSet[str]) -> dict[str, Any]:
    fitted = without(message, drops)
    if fitted.get("tool_calls"):
        return {**fitted, "tool_calls": [_fit_call(call) for call in fitted["tool_calls"]]}
    return fitted


def _fit_call(call: dict[str, Any]) -> dict[str, Any]:
    fitted = without(call, FOREIGN)
    function = fitted.get("function")
    if function and not function["arguments"].strip():
        return {**fitted, "function": {**function, "arguments": "{}"}}
    return fitted


def _refuse_parts(target: WireTarget, message: dict[str, Any], dialect: Dialect) -> None:
    content = message.get("content")
    for part in content if isinstance(content, list) else ():
        if part.get("type") in dialect.part_refuses:
            raise unsupported(target, f"content parts of type `{part['type']}`", "messages")


def _fit_tools(draft: Draft) -> None:
    """Function tools only: a custom tool is refused, a choice among allowed tools becomes a shorter list of tools."""
    body = draft.body
    if any(tool.get("type") == "custom" for tool in body.get("tools") or ()):
        raise unsupported(draft.target, "custom tools", "tools")
    calls = [call for message in body["messages"] for call in message.get("tool_calls") or ()]
    if any("function" not in call for call in calls):
        raise unsupported(draft.target, "calls of custom tools in `messages`", "messages")
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        allowed = choice["allowed_tools"]
        names = {(tool.get("function") or tool).get("name") for tool in allowed["tools"]}
        body["tools"] = [tool for tool in body.get("tools") or () if _name(tool) in names]
        body["tool_choice"] = allowed["mode"]


def _name(tool: dict[str, Any]) -> Any:
    return (tool.get("function") or {}).get("name")
