"""What the three endpoints take, field by field.

Types and ranges are those of OpenAI's API description (`CreateChatCompletionRequest`, `CreateCompletionRequest`,
`CreateEmbeddingRequest`), because the contract is OpenAI's where it is silent. Strings for which each provider has
values of its own (`reasoning_effort`, `service_tier`) are any short string. Unknown fields are free, but for doors.
"""

from typing import Any

from clawgw.wire.checks.doors import refuse_doors
from clawgw.wire.checks.json_shape import (
    Check,
    Misfit,
    anything,
    array_of,
    boolean,
    either,
    integer,
    map_of,
    matching,
    number,
    object_of,
    one_of,
    short_text,
    tagged,
    text,
)
from clawgw.wire.checks.message_shape import MESSAGES, content
from clawgw.wire.checks.tool_shape import FUNCTION_CALL, FUNCTIONS, TOOL_CHOICE, TOOLS

MAX_INPUTS = 2048
"""Prompts, or texts to embed, in one request."""

_WORD = short_text(64)
_MODEL = matching(
    r"[!-~](?:[ -~]{0,254}[!-~])?", "a model's name (a route, or provider/model): 1 to 256 printable ASCII characters"
)
"""It becomes a header's value."""

_COMMON: dict[str, Check] = {
    "model": _MODEL,
    "stream": boolean,
    "stream_options": object_of({"include_usage": boolean, "include_obfuscation": boolean}, foreign=refuse_doors),
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "presence_penalty": number(-2, 2),
    "frequency_penalty": number(-2, 2),
    "n": integer(1, 128),
    "seed": integer(-(2**63), 2**63 - 1),
    "stop": either("a string or an array of strings", {str: text, list: array_of(text, most=4)}),
    "logit_bias": map_of(number(-100, 100), most=2**18, longest_key=64),
    "user": short_text(512),
    "metadata": map_of(short_text(512), most=16, longest_key=64),
}

_JSON_SCHEMA = object_of(
    {"name": short_text(256, 1), "description": text, "schema": object_of({}), "strict": boolean}, required=("name",)
)
_RESPONSE_FORMAT = tagged(
    "type",
    {
        "text": anything,
        "json_object": anything,
        "json_schema": object_of({"json_schema": _JSON_SCHEMA}, required=("json_schema",)),
    },
    other=object_of({}, foreign=refuse_doors),
)
_PREDICTION = object_of(
    {"type": one_of("content"), "content": content(may_be_empty=False)}, required=("type", "content")
)
_VOICE = either("a name or an object", {str: _WORD, dict: object_of({"id": text}, required=("id",))})
_AUDIO = object_of({"format": _WORD, "voice": _VOICE}, required=("format", "voice"), foreign=refuse_doors)
_PLACE = object_of({"city": text, "country": text, "region": text, "timezone": text}, foreign=refuse_doors)
_WEB_SEARCH = object_of(
    {"search_context_size": _WORD, "user_location": object_of({"type": _WORD, "approximate": _PLACE})},
    foreign=refuse_doors,
)

CHAT = object_of(
    {
        **_COMMON,
        "messages": MESSAGES,
        "max_tokens": integer(1, 2**31 - 1),
        "max_completion_tokens": integer(1, 2**31 - 1),
        "logprobs": boolean,
        "top_logprobs": integer(0, 20),
        "reasoning_effort": _WORD,
        "verbosity": _WORD,
        "response_format": _RESPONSE_FORMAT,
        "tools": TOOLS,
        "tool_choice": TOOL_CHOICE,
        "parallel_tool_calls": boolean,
        "functions": FUNCTIONS,
        "function_call": FUNCTION_CALL,
        "store": boolean,
        "service_tier": _WORD,
        "prediction": _PREDICTION,
        "modalities": array_of(_WORD, most=16),
        "audio": _AUDIO,
        "web_search_options": _WEB_SEARCH,
        "moderation": object_of({"model": text}, required=("model",), foreign=refuse_doors),
        "safety_identifier": short_text(128),
        "prompt_cache_key": short_text(512),
        "prompt_cache_options": object_of({"mode": _WORD}, foreign=refuse_doors),
        "prompt_cache_retention": _WORD,
    },
    required=("model", "messages"),
    foreign=refuse_doors,
)
"""POST /v1/chat/completions"""


def _tokens(value: Any) -> None:
    """Token ids. Looked at as a whole, because there may be millions."""
    if set(map(type, value)) != {int} or min(value) < 0:
        raise Misfit("must be an array of token ids: integers, none below 0, at least one")


def _several(value: Any) -> None:
    """An array of strings, of token ids, or of arrays of token ids."""
    if not value:
        raise Misfit("must not be empty")
    if type(value[0]) is int:
        return _tokens(value)
    return _STRINGS(value) if type(value[0]) is str else _TOKEN_ARRAYS(value)


_STRINGS = array_of(text, most=MAX_INPUTS)
_TOKEN_ARRAYS = array_of(either("a string or an array of token ids", {list: _tokens}), most=MAX_INPUTS)
_INPUT = "a string, or an array of strings or token ids"

TEXT = object_of(
    {
        **_COMMON,
        "prompt": either(_INPUT, {str: text, list: _several}),
        "max_tokens": integer(0, 2**31 - 1),
        "best_of": integer(0, 20),
        "echo": boolean,
        "logprobs": integer(0, 5),
        "suffix": text,
    },
    required=("model", "prompt"),
    foreign=refuse_doors,
)
"""POST /v1/completions"""

EMBEDDINGS = object_of(
    {
        "model": _MODEL,
        "input": either(_INPUT, {str: short_text(2**31 - 1, 1), list: _several}),
        "dimensions": integer(1, 2**31 - 1),
        "encoding_format": one_of("float", "base64"),
        "user": _COMMON["user"],
        "metadata": _COMMON["metadata"],
    },
    required=("model", "input"),
    foreign=refuse_doors,
)
"""POST /v1/embeddings"""
