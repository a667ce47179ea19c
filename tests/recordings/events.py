"""The `data:` of a recorded stream, for the oracles: the plainest reader of server-sent events there is.

A recorded text is whole, so this may look at all of it at once, which the gateway never can.
"""

import json
from typing import Any


def data_of(raw: str) -> list[str]:
    """Each event's data, its lines joined; comments and other fields are left out."""
    blocks = raw.replace("\r\n", "\n").replace("\r", "\n").split("\n\n")
    lines = [[line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")] for block in blocks]
    return ["\n".join(of_block) for of_block in lines if of_block]


def json_events(raw: str) -> list[Any]:
    """Each event's data as JSON, up to `[DONE]`."""
    texts = data_of(raw)
    return [json.loads(text) for text in (texts[: texts.index("[DONE]")] if "[DONE]" in texts else texts)]
