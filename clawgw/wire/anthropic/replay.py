"""What OpenAI's message cannot say of an Anthropic turn, kept so that the next request can say it again.

Thinking blocks are signed and must come back byte for byte, also those without a text, or the API refuses the turn; the
blocks of tools that ran on Anthropic's side, cited text and thinking between tools only make sense in their order.
`keep` puts them into `extra_content.anthropic`: under `thinking_blocks` where they all stand first, else as the whole
`content`. Clients echo tool calls but often drop unknown fields of a message, so the first tool call carries the
thinking too. `kept` finds them again, also where litellm's clients have them (`message.thinking_blocks`).

https://platform.claude.com/docs/en/build-with-claude/extended-thinking#preserving-thinking-blocks
"""

from itertools import dropwhile
from typing import Any

from clawgw.wire.json_body import get_object, get_objects, get_text

Block = dict[str, Any]

PROVIDER = "anthropic"
THINKING = frozenset({"thinking", "redacted_thinking"})


def is_thinking(block: Block) -> bool:
    """Whether a block is one of the two that hold thinking."""
    return get_text(block, "type") in THINKING


def keep(blocks: list[Block]) -> dict[str, list[Block]]:
    """The part of a turn that is not in OpenAI's message; empty where the message says it all.

    Blank text goes, for the API does not take it back.
    """
    blocks = [block for block in blocks if block.get("type") != "text" or get_text(block, "text").strip()]
    after_thinking = list(dropwhile(is_thinking, blocks))
    if not all(map(_is_plain, after_thinking)):
        return {"content": blocks}
    return keep_thinking(blocks)


def keep_thinking(blocks: list[Block]) -> dict[str, list[Block]]:
    """A turn's thinking alone."""
    thinking = [block for block in blocks if is_thinking(block)]
    return {"thinking_blocks": thinking} if thinking else {}


def kept(message: dict[str, Any]) -> list[Block]:
    """The blocks that an assistant's message brings back, in their order; [] if there are none."""
    for carrier in (message, *get_objects(message, "tool_calls")):
        extra = get_object(get_object(carrier, "extra_content"), PROVIDER)
        if blocks := get_objects(extra, "content") or get_objects(extra, "thinking_blocks"):
            return list(blocks)
    return list(get_objects(message, "thinking_blocks"))


def restore(blocks: list[Block], said: list[Block]) -> list[Block]:
    """The turn to send: `blocks` as they were if the message still says the same, else their thinking before `said`.

    White space does not count.
    """
    if _said(blocks) == _said(said):
        return blocks
    return [block for block in blocks if is_thinking(block)] + said


def _is_plain(block: Block) -> bool:
    match block.get("type"):
        case "text":
            return not block.get("citations")
        case "tool_use":
            return get_text(get_object(block, "caller"), "type") in ("", "direct")
        case _:
            return False


def _said(blocks: list[Block]) -> tuple[str, list[tuple[Any, Any, Any]]]:
    words = [word for block in blocks if block.get("type") == "text" for word in get_text(block, "text").split()]
    calls = [
        (block.get("id"), block.get("name"), block.get("input")) for block in blocks if block.get("type") == "tool_use"
    ]
    return "".join(words), calls
