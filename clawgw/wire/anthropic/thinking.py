"""`reasoning_effort` as Anthropic's `thinking` and `output_config.effort`, by the model's generation.

Older models think within a budget of tokens, at least 1024 and less than `max_tokens`: it is held to four fifths of
`max_tokens`, so that an answer has room, and where that leaves too little there is no thinking. Newer ones think as
they see fit, at a level of effort; a level that a model lacks becomes the next lower one.

With a budget the API refuses a forced choice of tool, and an unfinished tool turn whose thinking is not there (a
history from another provider). Thinking is what gives way then, and the field that asked for it is named among the
dropped. A caller's own `thinking` wins over `reasoning_effort`.

https://platform.claude.com/docs/en/build-with-claude/extended-thinking, …/adaptive-thinking, …/effort
"""

from clawgw.wire.anthropic.draft import Draft
from clawgw.wire.anthropic.models import Thinking
from clawgw.wire.anthropic.replay import is_thinking
from clawgw.wire.anthropic.tools import is_forced
from clawgw.wire.json_body import get_count, get_object, get_text

_MIN_BUDGET = 1024
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 24_576, "xhigh": 32_768, "max": 32_768}
"""Thinking tokens for OpenAI's efforts, which are in order."""
_LADDER = tuple(_BUDGETS)


def thinking_room(draft: Draft) -> int:
    """How many tokens beyond the answer's a default `max_tokens` should leave for thinking."""
    own = get_count(get_object(draft.asked, "thinking"), "budget_tokens")
    return own or _BUDGETS.get(get_text(draft.asked, "reasoning_effort"), 0)


def add_thinking(draft: Draft) -> None:
    """Ask for thinking, once messages, tools and `max_tokens` are there."""
    effort = get_text(draft.asked, "reasoning_effort")
    if own := get_object(draft.asked, "thinking"):
        draft.drop("reasoning_effort")
        if own.get("type") == "enabled" and _conflicts(draft):
            draft.drop("thinking")
        else:
            draft.sent["thinking"] = own
    elif effort == "none":
        _add_none(draft)
    elif effort in _BUDGETS:
        _ADDERS[draft.quirks.thinking](draft, effort)
    else:
        draft.drop("reasoning_effort")


def _add_none(draft: Draft) -> None:
    if draft.quirks.thinking is Thinking.NONE:
        return
    if draft.quirks.thinking_off:
        draft.sent["thinking"] = {"type": draft.quirks.thinking_off}
    else:
        draft.sent["output_config"] = {"effort": "low"}
        draft.drop("reasoning_effort")


def _add_effort(draft: Draft, effort: str) -> None:
    steps = _LADDER[: _LADDER.index(effort) + 1]
    level = next((step for step in reversed(steps) if step in draft.quirks.efforts), "low")
    draft.sent["thinking"] = {"type": "adaptive", "display": "summarized"}
    draft.sent["output_config"] = {"effort": level}


def _add_budget(draft: Draft, effort: str) -> None:
    budget = min(_BUDGETS[effort], draft.sent["max_tokens"] * 4 // 5)
    if budget < _MIN_BUDGET or _conflicts(draft):
        draft.drop("reasoning_effort")
    else:
        draft.sent["thinking"] = {"type": "enabled", "budget_tokens": budget}


def _drop_effort(draft: Draft, _effort: str) -> None:
    draft.drop("reasoning_effort")


_ADDERS = {Thinking.NONE: _drop_effort, Thinking.BUDGET: _add_budget, Thinking.ADAPTIVE: _add_effort}


def _conflicts(draft: Draft) -> bool:
    if is_forced(draft.sent.get("tool_choice")):
        return True
    match draft.turns:
        case [*_, asker, answer] if answer.blocks[0].get("type") == "tool_result":
            return not is_thinking(asker.blocks[0])
        case _:
            return False
