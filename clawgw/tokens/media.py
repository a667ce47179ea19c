"""Content parts that are no text in tokens: images by the vendors' rules, the others by their size, as estimates.

A second of sound is 32 tokens at Google, the most of all vendors, and of video 263
(https://ai.google.dev/gemini-api/docs/tokens). A page of a PDF is 258 there and 1500 to 3000 at Anthropic
(https://platform.claude.com/docs/en/build-with-claude/pdf-support); by the byte that is between 30 and 8.
"""

from collections.abc import Callable, Mapping
from typing import Any

from clawgw.tokens.images import image_tokens

SOUND_PER_SECOND = 32
VIDEO = 60 * 263
"""Of a video, which always comes by URL: a minute."""
LINKED_FILE = 2000
"""Of a file that comes by URL or id: a page."""
LEAST_FILE = 258

_BYTES_PER_SECOND = {"wav": 32_000, "pcm16": 48_000}
_COMPRESSED = 8_000
_BYTES_PER_TOKEN_OF_TEXT = 4
_BYTES_PER_TOKEN_OF_PDF = 12


def media_tokens(part: object, model: str) -> int:
    """Of a content part, for a model under its provider's name; 0 for one that is text."""
    return _COSTS[part["type"]](part, model) if isinstance(part, Mapping) and is_media(part) else 0


def is_media(part: object) -> bool:
    """Whether a content part is an image, a sound, a video or a file."""
    return isinstance(part, Mapping) and part.get("type") in _COSTS


def audio_tokens(audio: object) -> int:
    """Of the `input_audio` of a content part: base64, or an object with `data` and `format`."""
    data, kind = (audio.get("data"), audio.get("format")) if isinstance(audio, Mapping) else (audio, None)
    per_second = _BYTES_PER_SECOND.get(kind, _COMPRESSED) if isinstance(kind, str) else _COMPRESSED
    return 1 + _decoded_bytes(data) * SOUND_PER_SECOND // per_second


def file_tokens(file: object) -> int:
    """Of the `file` of a content part, or of a `document_url`: data, or what only names it."""
    data: Any = file.get("file_data") or file.get("url") if isinstance(file, Mapping) else file
    if not isinstance(data, str) or data[:4].lower() == "http":
        return LINKED_FILE
    per_token = _BYTES_PER_TOKEN_OF_TEXT if data[:10].lower() == "data:text/" else _BYTES_PER_TOKEN_OF_PDF
    return max(LEAST_FILE, _decoded_bytes(data) // per_token)


def _decoded_bytes(base64: object) -> int:
    return len(base64) * 3 // 4 if isinstance(base64, str) else 0


_COSTS: Mapping[str, Callable[[Mapping[str, Any], str], int]] = {
    "image_url": lambda part, model: image_tokens(part.get("image_url"), model),
    "input_audio": lambda part, _model: audio_tokens(part.get("input_audio")),
    "file": lambda part, _model: file_tokens(part.get("file")),
    "document_url": lambda part, _model: file_tokens(part.get("document_url")),
    "video_url": lambda _part, _model: VIDEO,
}
"""By the type of a content part."""
