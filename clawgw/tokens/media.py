"""Sounds, files and videos in tokens: estimates by their size, for what they hold is never decoded.

A second of sound is 32 tokens at Google, the most of all vendors, and of video 263
(https://ai.google.dev/gemini-api/docs/tokens). A page of a PDF is 258 there and 1500 to 3000 at Anthropic
(https://platform.claude.com/docs/en/build-with-claude/pdf-support); by the byte that is between 30 and 8.
"""

from collections.abc import Mapping
from typing import Any

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
