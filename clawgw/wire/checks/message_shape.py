"""The messages of a chat request: roles, content parts, and the tool calls of earlier turns.

After OpenAI's `ChatCompletionRequestMessage`, and wider where the OpenAI-shaped providers are: part types of theirs
(`thinking`, `reference`) and members of theirs (`prefix`, `reasoning_content`, `cache_control`) go on unchecked, and an
image may be a bare URL (Mistral). The names in past tool calls are a model's words, so only those of tools that are
offered (`tool_shape`) must match OpenAI's pattern.
"""

from clawgw.wire.checks.json_shape import Check, array_of, either, object_of, short_text, tagged, text
from clawgw.wire.checks.media import media_data, media_url

_ID = short_text(512)
_NAME = short_text(256, 1)


def _by_url(field: str) -> Check:
    """A part of type `field`, whose member `field` is a URL or an object with one."""
    target = object_of({"url": media_url, "detail": short_text(64)}, required=("url",))
    return object_of({field: either("a URL or an object", {str: media_url, dict: target})}, required=(field,))


_AUDIO = object_of({"data": media_data, "format": short_text(64)}, required=("data", "format"))
_FILE = object_of({"file_data": media_data, "file_id": _ID, "filename": short_text(512)})
_PART = tagged(
    "type",
    {
        "text": object_of({"text": text}, required=("text",)),
        "refusal": object_of({"refusal": text}, required=("refusal",)),
        "image_url": _by_url("image_url"),
        "video_url": _by_url("video_url"),
        "document_url": _by_url("document_url"),
        "input_audio": object_of(
            {"input_audio": either("base64 or an object", {str: media_data, dict: _AUDIO})}, required=("input_audio",)
        ),
        "file": object_of({"file": _FILE}, required=("file",)),
    },
)


def content(*, may_be_empty: bool) -> Check:
    """A message's content: a string or an array of parts."""
    parts = array_of(_PART, may_be_empty=may_be_empty)
    return either("a string or an array of content parts", {str: text, list: parts})


_CALLED = object_of({"name": _NAME, "arguments": text}, required=("name", "arguments"))
_CUSTOM_CALLED = object_of({"name": _NAME, "input": text}, required=("name", "input"))
_TOOL_CALL = tagged(
    "type",
    {
        "function": object_of({"id": _ID, "function": _CALLED}, required=("id", "function")),
        "custom": object_of({"id": _ID, "custom": _CUSTOM_CALLED}, required=("id", "custom")),
    },
    default="function",
)

_PROMPT = object_of({"content": content(may_be_empty=False), "name": text}, required=("content",))
_ANSWER = object_of(
    {
        "content": content(may_be_empty=True),
        "refusal": text,
        "name": text,
        "tool_calls": array_of(_TOOL_CALL),
        "function_call": _CALLED,
        "audio": object_of({"id": text}, required=("id",)),
    }
)
_TOOL_RESULT = object_of(
    {"content": content(may_be_empty=True), "tool_call_id": _ID}, required=("content", "tool_call_id")
)
_MESSAGE = tagged(
    "role",
    {
        "developer": _PROMPT,
        "system": _PROMPT,
        "user": _PROMPT,
        "assistant": _ANSWER,
        "tool": _TOOL_RESULT,
        "function": object_of({"content": text, "name": text}, required=("name",)),
    },
    other=None,
)

MESSAGES = array_of(_MESSAGE, may_be_empty=False)
"""`messages`"""
