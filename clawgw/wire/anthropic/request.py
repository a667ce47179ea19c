"""An OpenAI chat request as the body, headers and dropped hints of an Anthropic one.

The body grows step by step; a step either sends a field, or drops it and says so, or refuses with UNSUPPORTED what
would change the meaning (several choices, logprobs, audio, custom tools, JSON without a schema). Fields of Anthropic's
own are taken from the same place, because that is where the OpenAI client's `extra_body` puts them: `thinking`,
`top_k`, `output_config`, `cache_control`, `context_management`, `container`, `mcp_servers`, and `betas` for the header.
Any other unknown field is dropped and named.

`max_tokens`, which the API wants, is the request's, else the configured default, else 8192 and room for the thinking
that was asked for; only a default is held to the model's maximum.

https://platform.claude.com/docs/en/api/messages/create, https://platform.claude.com/docs/en/api/versioning
"""

import re
from typing import Any

import orjson

from clawgw.wire.anthropic.draft import Draft
from clawgw.wire.anthropic.errors import unsupported
from clawgw.wire.anthropic.messages import Turn, conversation
from clawgw.wire.anthropic.models import quirks_of
from clawgw.wire.anthropic.parts import compact
from clawgw.wire.anthropic.thinking import add_thinking, thinking_room
from clawgw.wire.anthropic.tools import choice_of, is_forced, tools_of
from clawgw.wire.codec import UpstreamRequest, WireTarget
from clawgw.wire.json_body import get_objects, get_text
from clawgw.wire.request import ChatRequest

DEFAULT_VERSION = "2023-06-01"
DEFAULT_MAX_TOKENS = 8192

_NO_SAMPLING_SINCE = "2026-10-21"
_FILES_BETA = "files-api-2025-04-14"
_NATIVE = ("cache_control", "container", "context_management", "mcp_servers")
_TIERS = {"auto": "auto", "default": "standard_only", "priority": "auto"}
_HARMLESS = {"n": 1, "logprobs": False, "modalities": ["text"], "stream_options": ...}
"""Fields that ask for nothing that is not so anyway; `...` stands for any value."""
_BETA = re.compile(r"[A-Za-z0-9._-]{1,128}")
_FIELD = re.compile(r"[A-Za-z0-9._-]{1,64}")


def build_request(request: ChatRequest, target: WireTarget) -> UpstreamRequest:
    """Raises `WireError` of kind UNSUPPORTED."""
    asked = {name: value for name, value in request.body.items() if value is not None}
    draft = Draft(asked, target, quirks_of(target.model), {"model": target.model})
    _refuse(draft)
    _add_messages(draft)
    _add_tools(draft)
    _add_limits(draft)
    add_thinking(draft)
    _add_sampling(draft)
    _add_format(draft)
    _add_account(draft)
    if request.stream:
        draft.sent["stream"] = True
    headers = _headers(draft)
    return UpstreamRequest("/messages", _encoded(draft.sent), headers, _dropped(draft))


def _encoded(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError as error:
        raise unsupported("messages", "The arguments of a past tool call are nested too deeply.") from error


def _refuse(draft: Draft) -> None:
    """What would change the meaning if it were left out."""
    asked = draft.asked
    if asked.get("n", 1) != 1:
        raise unsupported("n", "Anthropic answers with one choice; `n` is to be 1.")
    if asked.get("logprobs"):
        raise unsupported("logprobs", "Anthropic gives no logprobs.")
    if "audio" in asked or "audio" in asked.get("modalities", ()):
        raise unsupported("modalities", "Anthropic answers with text only.")
    for name in ("functions", "function_call"):
        if name in asked:
            raise unsupported(name, f"`{name}` is not taken for Anthropic; send `tools` and `tool_choice`.")


def _add_messages(draft: Draft) -> None:
    draft.take("messages")
    messages = get_objects(draft.asked, "messages")
    system, draft.turns = conversation(messages, in_list_system=draft.quirks.in_list_system)
    if _is_prefill(draft.turns[-1]) and not draft.quirks.prefill:
        raise unsupported("messages", f"{draft.target.model} does not continue a last message of the assistant's.")
    if system:
        draft.sent["system"] = compact(system)
    draft.sent["messages"] = [turn.as_message() for turn in draft.turns]


def _is_prefill(last: Turn) -> bool:
    """Words put into the model's mouth; a paused turn, which is to go on, ends with a tool of the server's instead."""
    return last.role == "assistant" and last.blocks[-1].get("type") == "text"


def _add_tools(draft: Draft) -> None:
    for name in ("tools", "web_search_options"):
        draft.take(name)
    tools = tools_of(draft.asked)
    if not tools:
        return
    draft.sent["tools"] = tools
    for name in ("tool_choice", "parallel_tool_calls"):
        draft.take(name)
    choice = choice_of(draft.asked)
    if is_forced(choice) and not draft.quirks.forced_choice:
        raise unsupported("tool_choice", f"{draft.target.model} cannot be made to call a tool; use auto.")
    if choice:
        draft.sent["tool_choice"] = choice


def _add_limits(draft: Draft) -> None:
    stated = [draft.take(name) for name in ("max_completion_tokens", "max_tokens")]
    default = draft.target.default_max_tokens or DEFAULT_MAX_TOKENS + thinking_room(draft)
    draft.sent["max_tokens"] = stated[0] or stated[1] or min(default, draft.quirks.max_tokens)
    stop = draft.take("stop")
    given = [stop] if isinstance(stop, str) else stop or []
    sequences = [sequence for sequence in given if sequence.strip()]
    if sequences:
        draft.sent["stop_sequences"] = sequences
    if sequences != given:
        draft.drop("stop")


def _add_sampling(draft: Draft) -> None:
    """Temperature wins over top_p where a model takes one of them; above 1, Anthropic's maximum, it is left out."""
    wanted = {name: value for name in ("temperature", "top_p", "top_k") if (value := draft.take(name)) is not None}
    if draft.target.default_temperature is not None and "top_p" not in wanted:
        wanted.setdefault("temperature", draft.target.default_temperature)
    refused = {name for name, value in wanted.items() if name == "temperature" and value > 1}
    if _refuses_sampling(draft):
        refused = set(wanted)
    elif draft.quirks.one_sampling_field and wanted.keys() - refused >= {"temperature", "top_p"}:
        refused.add("top_p")
    draft.sent.update({name: value for name, value in wanted.items() if name not in refused})
    for name in refused:
        draft.drop(name)


def _refuses_sampling(draft: Draft) -> bool:
    thinks = draft.sent.get("thinking", {}).get("type") in ("enabled", "adaptive")
    return thinks or not draft.quirks.sampling or (draft.target.api_version or "") >= _NO_SAMPLING_SINCE


def _add_format(draft: Draft) -> None:
    match draft.take("response_format"):
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            if not draft.quirks.json_schema:
                raise unsupported("response_format", f"{draft.target.model} has no structured output; use a tool.")
            config = draft.sent.setdefault("output_config", {})
            config["format"] = {"type": "json_schema", "schema": schema}
        case {"type": "json_schema" | "json_object"}:
            raise unsupported("response_format", "Anthropic has no JSON output without a schema; send a json_schema.")
    if isinstance(own := draft.take("output_config"), dict):
        draft.sent["output_config"] = draft.sent.get("output_config", {}) | own


def _add_account(draft: Draft) -> None:
    """Who asks, at which tier, and the fields that are Anthropic's already."""
    if users := [user for name in ("safety_identifier", "user") if (user := draft.take(name))]:
        draft.sent["metadata"] = {"user_id": users[0]}
    if tier := _TIERS.get(draft.take("service_tier")):
        draft.sent["service_tier"] = tier
    else:
        draft.drop("service_tier")
    for name in _NATIVE:
        if (value := draft.take(name)) is not None:
            draft.sent[name] = value


def _headers(draft: Draft) -> dict[str, str]:
    headers = {"anthropic-version": draft.target.api_version or DEFAULT_VERSION}
    betas = _betas(draft.take("betas") or draft.take("anthropic_beta") or [])
    if _uses_files(draft.turns) and _FILES_BETA not in betas:
        betas.append(_FILES_BETA)
    return headers | ({"anthropic-beta": ",".join(betas)} if betas else {})


def _betas(given: Any) -> list[str]:
    """Names of beta features, in a list or separated by commas; they become a header's value."""
    names = given.split(",") if isinstance(given, str) else given
    betas = [str(name).strip() for name in names] if isinstance(names, list) else [""]
    if not all(map(_BETA.fullmatch, betas)):
        raise unsupported("betas", "`betas` is a list of names of Anthropic's beta features.")
    return betas


def _uses_files(turns: list[Turn]) -> bool:
    sources = (block.get("source") for turn in turns for block in turn.blocks)
    return any(isinstance(source, dict) and get_text(source, "type") == "file" for source in sources)


def _dropped(draft: Draft) -> tuple[str, ...]:
    """Names go into a header of the answer, so an unknown field is named only where its name can stand in one."""
    draft.taken |= {"model", "stream", "reasoning_effort", "thinking"}
    draft.taken |= {name for name, value in _HARMLESS.items() if value in (..., draft.asked.get(name))}
    unknown = {name for name in draft.asked.keys() - draft.taken if _FIELD.fullmatch(name)}
    return tuple(sorted(draft.dropped | unknown))
