"""An Anthropic message as an OpenAI chat completion.

Text blocks make the content, thinking the `reasoning_content`, calls of the client's tools the `tool_calls`. Tools that
ran on Anthropic's side are not the client's business: their blocks, like all that OpenAI has no word for, are kept in
`extra_content.anthropic` (`replay`), beside the stop reason where the finish reason blurs it. A paused turn
(`pause_turn`) finishes as "stop": send the message back unchanged and the model goes on.

https://platform.claude.com/docs/en/api/messages/create, …/build-with-claude/handling-stop-reasons, …/citations
"""

from typing import Any

import orjson

from clawgw.wire.anthropic.errors import failure_from_event, is_error
from clawgw.wire.anthropic.replay import PROVIDER, Block, keep, keep_thinking
from clawgw.wire.codec import Completion
from clawgw.wire.failure import WireError
from clawgw.wire.json_body import decode_json_object, get_count, get_object, get_objects, get_text, invalid
from clawgw.wire.usage import Particulars, Usage, priced_tier, reported_cost, usage_from_counts

ENDING = ("stop_reason", "stop_sequence", "stop_details", "container")
"""The fields that say how a message ended, in a whole one and in the `delta` of `message_delta`."""

_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_PLAIN_ENDINGS = frozenset({"end_turn", "max_tokens", "tool_use"})
_TIERS = {"standard": "default", "priority": "priority"}


def completion_from(body: bytes, model: str, now: float) -> Completion:
    """A whole 2xx body. `model` is told where the answer does not; `now` (Unix seconds) is `created`."""
    answer = decode_json_object(body)
    if is_error(answer):
        raise WireError(failure_from_event(answer))
    if answer.get("type") != "message" or not get_text(answer, "stop_reason"):
        raise invalid("The upstream's answer is not a finished Anthropic message.")
    blocks = list(get_objects(answer, "content"))
    counts = get_object(answer, "usage")
    usage = usage_of(counts) if counts else None
    reason = finish_reason(answer, called=any(map(_is_call, blocks)))
    completion = {
        "id": get_text(answer, "id"),
        "object": "chat.completion",
        "created": int(now),
        "model": get_text(answer, "model") or model,
        "choices": [{"index": 0, "message": _message(answer, blocks), "logprobs": None, "finish_reason": reason}],
    }
    if usage is not None:
        completion["usage"] = usage.body
    if tier := _TIERS.get(get_text(counts, "service_tier")):
        completion["service_tier"] = tier
    return Completion(completion, usage, reason)


def finish_reason(ending: dict[str, Any], *, called: bool) -> str:
    """OpenAI's word for how a message ended; `tool_calls` only where a tool of the client's was `called`."""
    reason = _FINISH.get(get_text(ending, "stop_reason"), "stop")
    return "stop" if reason == "tool_calls" and not called else reason


def usage_of(usage: dict[str, Any]) -> Usage:
    """Anthropic counts cached input beside `input_tokens`, OpenAI within the prompt; thinking is output in both."""
    cached, cache_write = (get_count(usage, f"cache_{what}_input_tokens") for what in ("read", "creation"))
    return usage_from_counts(
        get_count(usage, "input_tokens") + cached + cache_write,
        get_count(usage, "output_tokens"),
        cached=cached,
        cache_write=cache_write,
        reasoning=get_count(get_object(usage, "output_tokens_details"), "thinking_tokens"),
        particulars=Particulars(
            cache_write_1h=get_count(get_object(usage, "cache_creation"), "ephemeral_1h_input_tokens"),
            web_searches=get_count(get_object(usage, "server_tool_use"), "web_search_requests"),
            service_tier=priced_tier(get_text(usage, "speed")) or priced_tier(get_text(usage, "service_tier")),
            cost_usd=reported_cost(usage),
        ),
    )


def tail(ending: dict[str, Any], blocks: list[Block], annotations: list[dict[str, Any]]) -> dict[str, Any]:
    """What a message holds beside text, reasoning and calls, and what a stream can say only at its end."""
    extra: dict[str, Any] = {**keep(blocks)}
    if get_text(ending, "stop_reason") not in _PLAIN_ENDINGS:
        extra["stop_reason"] = ending.get("stop_reason")
    extra |= {name: ending[name] for name in ENDING[1:] if ending.get(name) is not None}
    found: dict[str, Any] = {}
    if refusal := get_text(get_object(ending, "stop_details"), "explanation"):
        found["refusal"] = refusal
    if annotations:
        found["annotations"] = annotations
    if extra:
        found["extra_content"] = {PROVIDER: extra}
    return found


def tool_call(block: Block, arguments: str, before: list[Block]) -> dict[str, Any]:
    """A client's tool call. The first of a message carries the thinking `before` it."""
    function = {"name": get_text(block, "name"), "arguments": arguments}
    call: dict[str, Any] = {"id": get_text(block, "id"), "type": "function", "function": function}
    if thinking := keep_thinking(before):
        call["extra_content"] = {PROVIDER: thinking}
    return call


def arguments_of(block: Block) -> str:
    """The input of a call as the string that OpenAI has; none is `{}`."""
    return orjson.dumps(get_object(block, "input")).decode()


def annotations_of(block: Block, start: int, end: int) -> list[dict[str, Any]]:
    """The sources of a text block that have a URL, once each, over its place in the content (in characters)."""
    sources = {
        url: get_text(citation, "title")
        for citation in get_objects(block, "citations")
        if (url := get_text(citation, "url") or get_text(citation, "source")).startswith(("https://", "http://"))
    }
    return [
        {"type": "url_citation", "url_citation": {"start_index": start, "end_index": end, "url": url, "title": title}}
        for url, title in sources.items()
    ]


def _message(answer: dict[str, Any], blocks: list[Block]) -> dict[str, Any]:
    texts = [get_text(block, "text") for block in blocks if block.get("type") == "text"]
    calls = _tool_calls(blocks)
    more = tail(answer, blocks, _annotations(blocks))
    empty = None if calls or "refusal" in more else ""
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) or empty, "refusal": None, **more}
    if reasoning := "".join(get_text(block, "thinking") for block in blocks if block.get("type") == "thinking"):
        message["reasoning_content"] = reasoning
    if calls:
        message["tool_calls"] = calls
    return message


def _tool_calls(blocks: list[Block]) -> list[dict[str, Any]]:
    places = [place for place, block in enumerate(blocks) if _is_call(block)]
    return [
        tool_call(blocks[place], arguments_of(blocks[place]), blocks[:place] if place == places[0] else [])
        for place in places
    ]


def _is_call(block: Block) -> bool:
    return block.get("type") == "tool_use"


def _annotations(blocks: list[Block]) -> list[dict[str, Any]]:
    found, start = [], 0
    for block in blocks:
        if block.get("type") == "text":
            end = start + len(get_text(block, "text"))
            found += annotations_of(block, start, end)
            start = end
    return found
