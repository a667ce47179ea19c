"""Requests in Moonshot's dialect: Kimi's thinking switch, and the thoughts it wants back.

Sources: https://platform.moonshot.ai/docs/api/chat, https://platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model.
"""

from typing import Any

from clawgw.wire.openai.draft import Draft, matches, unsupported

_SWITCHED = ("kimi-k2.5*", "kimi-k2.6*")
_THINKING = (*_SWITCHED, "kimi-k2.7*", "kimi-k3*", "kimi-*thinking*")
_WITHOUT_REQUIRED = ("kimi-k2", "kimi-k2-*")
_NO_THOUGHT = " "
"""Accepted in the place of thoughts that another provider's model had, or that the client did not keep."""


def fit_moonshot(draft: Draft) -> None:
    """Fit thinking, tools, messages and temperature."""
    body, model = draft.body, draft.target.model
    if body.get("tool_choice") == "required" and matches(model, _WITHOUT_REQUIRED):
        raise unsupported(draft.target, '`tool_choice: "required"`', "tool_choice")
    if matches(model, _SWITCHED):
        _fit_switch(body)
    thinks = matches(model, _THINKING) and body.get("thinking") != {"type": "disabled"}
    body["messages"] = [_fit_message(message, thinks=thinks) for message in body["messages"]]
    if body.get("tools"):
        body["tools"] = [_without_strict(tool) for tool in body["tools"]]
    if isinstance(body.get("temperature"), int | float):
        body["temperature"] = min(body["temperature"], 1)


def _fit_switch(body: dict[str, Any]) -> None:
    effort = body.pop("reasoning_effort", None)
    if effort is not None:
        body.setdefault("thinking", {"type": "disabled" if effort == "none" else "enabled"})


def _fit_message(message: dict[str, Any], *, thinks: bool) -> dict[str, Any]:
    fitted = {key: value for key, value in message.items() if key not in ("reasoning", "reasoning_details")}
    content = fitted.get("content")
    if isinstance(content, list) and all(part.get("type") == "text" for part in content):
        fitted["content"] = "".join(part["text"] for part in content)
    if thinks and fitted.get("tool_calls"):
        thought = fitted.get("reasoning_content") or message.get("reasoning")
        fitted["reasoning_content"] = thought or _NO_THOUGHT
    return fitted


def _without_strict(tool: dict[str, Any]) -> dict[str, Any]:
    if "function" not in tool:
        return tool
    return {**tool, "function": {key: value for key, value in tool["function"].items() if key != "strict"}}
