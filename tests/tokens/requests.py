"""Requests as the doors hand them over: checked."""

from typing import Any

import orjson

from clawgw.tokens.prompt import Prompt
from clawgw.wire.checks.parse import parse_chat_request, parse_embeddings_request, parse_text_request


def chat(*messages: dict[str, Any] | str, **more: Any) -> Prompt:
    """A string is a user's message."""
    said = [{"role": "user", "content": one} if isinstance(one, str) else one for one in messages]
    return Prompt(parse_chat_request(orjson.dumps({"model": "m", "messages": said, **more})))


def text(prompt: object) -> Prompt:
    return Prompt(parse_text_request(orjson.dumps({"model": "m", "prompt": prompt})))


def embeddings(value: object) -> Prompt:
    return Prompt(parse_embeddings_request(orjson.dumps({"model": "m", "input": value})))
