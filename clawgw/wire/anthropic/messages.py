"""OpenAI's list of messages as Anthropic's `system` and `messages`.

Leading system and developer messages become `system`. A later one stays where it is: as role system on the models that
take it there, right after a user's turn and before an assistant's or the end; else as text of the user's, because a
place is worth more than a rank to an instruction that says "from now on". Turns alternate, so neighbours of one role
become one turn, and a turn that answers tool calls begins with every result.

https://platform.claude.com/docs/en/api/messages/create,
https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages
"""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import groupby, takewhile
from typing import Any

import orjson
from attrs import evolve, frozen

from clawgw.wire.anthropic.errors import unsupported
from clawgw.wire.anthropic.parts import blocks_of, compact, text_block
from clawgw.wire.anthropic.replay import Block, kept, restore
from clawgw.wire.json_body import get_object, get_objects, get_text

_TOOL_ID = re.compile(r"[a-zA-Z0-9_-]+")


@frozen
class Turn:
    """What one side says before the other does. `role` is user, assistant or system."""

    role: str
    blocks: list[Block]

    def as_message(self) -> dict[str, Any]:
        """The turn as one of `messages`."""
        return {"role": self.role, "content": compact(self.blocks)}


def conversation(messages: Sequence[dict[str, Any]], *, in_list_system: bool) -> tuple[list[Block], list[Turn]]:
    """The system prompt and the turns. Of system messages alone the prompt is the user's: there must be a turn."""
    leading = list(takewhile(_is_system, messages))
    system = [block for message in leading for block in _system_blocks(message)]
    turns = _merged(_turn(message) for message in messages[len(leading) :])
    turns = _merged(_seated(turns, in_list_system=in_list_system))
    return (system, turns) if turns else ([], [Turn("user", system)])


def _turn(message: dict[str, Any]) -> Turn:
    match get_text(message, "role"):
        case "assistant":
            return Turn("assistant", _assistant_blocks(message))
        case "tool":
            return Turn("user", [_tool_result(message)])
        case "user":
            return Turn("user", blocks_of(message))
        case "system" | "developer":
            return Turn("system", _system_blocks(message))
        case role:
            raise unsupported("messages", f"Anthropic has no messages of role {role!r}.")


def _merged(turns: Iterable[Turn]) -> list[Turn]:
    """Neighbours of one role as one turn; silent ones left out."""
    spoken = (turn for turn in turns if turn.blocks)
    groups = groupby(spoken, key=lambda turn: turn.role)
    return [Turn(role, _results_first([block for turn in group for block in turn.blocks])) for role, group in groups]


def _results_first(blocks: list[Block]) -> list[Block]:
    return sorted(blocks, key=lambda block: block.get("type") != "tool_result")


def _seated(turns: list[Turn], *, in_list_system: bool) -> Iterable[Turn]:
    for previous, turn, following in zip([None, *turns], turns, [*turns[1:], None], strict=False):
        fits = previous and previous.role == "user" and (not following or following.role == "assistant")
        yield turn if turn.role != "system" or (in_list_system and fits) else evolve(turn, role="user")


def _is_system(message: dict[str, Any]) -> bool:
    return message.get("role") in ("system", "developer")


def _system_blocks(message: dict[str, Any]) -> list[Block]:
    blocks = blocks_of(message)
    if any(block["type"] != "text" for block in blocks):
        raise unsupported("messages", "Anthropic takes nothing but text in system messages.")
    return blocks


def _assistant_blocks(message: dict[str, Any]) -> list[Block]:
    if message.get("audio"):
        raise unsupported("messages", "Anthropic takes no audio.")
    if message.get("function_call"):
        raise unsupported("messages", "`function_call` is not taken for Anthropic; send `tool_calls`.")
    said = blocks_of(message)
    if not said and (refusal := get_text(message, "refusal")):
        said = [text_block(refusal)]
    return restore(kept(message), said + [_tool_use(call) for call in get_objects(message, "tool_calls")])


def _tool_use(call: dict[str, Any]) -> Block:
    function = get_object(call, "function")
    if not function:
        raise unsupported("messages", "Anthropic takes calls of functions only, not of custom tools.")
    name = get_text(function, "name")
    block = {"type": "tool_use", "id": _tool_id(call, "id"), "name": name, "input": _input(function)}
    return block | ({"cache_control": call["cache_control"]} if call.get("cache_control") else {})


def _input(function: dict[str, Any]) -> dict[str, Any]:
    try:
        value = orjson.loads(get_text(function, "arguments").strip() or "{}")
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise unsupported("messages", "Anthropic wants the arguments of every past tool call as a JSON object.")
    return value


def _tool_result(message: dict[str, Any]) -> Block:
    block = {"type": "tool_result", "tool_use_id": _tool_id(message, "tool_call_id")}
    content = blocks_of({"content": message.get("content")})
    cache = {"cache_control": message["cache_control"]} if message.get("cache_control") else {}
    return {**block, "content": compact(content) if content else "", **cache}


def _tool_id(source: dict[str, Any], key: str) -> str:
    """The id as the API takes it; one from another provider with other characters by its hash, the same both times."""
    given = get_text(source, key)
    return given if _TOOL_ID.fullmatch(given) else "toolu_" + sha256(given.encode()).hexdigest()[:32]
