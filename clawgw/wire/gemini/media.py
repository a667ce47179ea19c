"""Images, audio and files of a chat message as parts of Gemini's content. Nothing is fetched here or anywhere.

`data:` URLs become `inlineData`. Web URLs become `fileData`, which Google fetches itself: from Gemini 2.5 on any public
URL, before that only what lies in its own Files API or on YouTube.
Source: https://ai.google.dev/gemini-api/docs/file-input-methods, https://ai.google.dev/api/caching#Part.
"""

import re
from typing import Any

from clawgw.wire.failure import Failure, Kind, WireError
from clawgw.wire.gemini.models import ModelTraits

Part = dict[str, Any]

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w.+-]+=[^;,\s]+)*;base64,", re.ASCII | re.IGNORECASE)
_GOOGLES_OWN = re.compile(r"https://(?:generativelanguage\.googleapis\.com/|(?:www\.)?youtube\.com/|youtu\.be/)")
_EXTENSION = re.compile(r"\.(\w{2,5})(?:[?#]|$)", re.ASCII)
_AUDIO = {"wav": "audio/wav", "mp3": "audio/mp3", "aac": "audio/aac", "flac": "audio/flac", "aiff": "audio/aiff"}
_BY_URL = {"image_url": "image/jpeg", "video_url": "video/mp4", "document_url": None}
"""Parts that are a URL, with the type to claim where its ending says none."""
_TYPES = {
    **_AUDIO,
    "ogg": "audio/ogg",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
    "xml": "text/xml",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "mov": "video/quicktime",
    "webm": "video/webm",
}


def unsupported(message: str, param: str) -> WireError:
    """What the request asks for in `param`, Gemini cannot do."""
    return WireError(Failure(Kind.UNSUPPORTED, message, code="unsupported_parameter", param=param))


def media_part(part: dict[str, Any], traits: ModelTraits) -> Part:
    """The part of a user message that is not text. Raises `WireError` of kind UNSUPPORTED."""
    kind = part["type"]
    match part.get(kind):
        case str(url) | {"url": str(url)} if kind in _BY_URL:
            return _by_url(url, traits, _BY_URL[kind])
        case {"data": str(data), "format": str(audio)} if kind == "input_audio" and audio in _AUDIO:
            return _by_url(data, traits, _AUDIO[audio]) if ":" in data else _inline(_AUDIO[audio], data)
        case {"file_data": str(data), **file} if kind == "file":
            return _file(data, _type_of(str(file.get("filename"))), traits)
    raise unsupported(f"Gemini takes no content part of type {kind!r} in this form.", "messages")


def _file(data: str, mime_type: str | None, traits: ModelTraits) -> Part:
    if ":" in data:
        return _by_url(data, traits, mime_type)
    if mime_type is None:
        raise unsupported("Give file_data as a data: URL, or a filename whose extension says its type.", "messages")
    return _inline(mime_type, data)


def _by_url(url: str, traits: ModelTraits, fallback_type: str | None) -> Part:
    if inline := _DATA_URL.match(url):
        return _inline(inline[1], url[inline.end() :])
    if url[:5].lower() == "data:":
        raise unsupported("Gemini takes data: URLs that name their type and are base64.", "messages")
    if not traits.fetches_urls and not _GOOGLES_OWN.match(url):
        raise unsupported("Gemini models before 2.5 do not fetch URLs: send the file as a data: URL.", "messages")
    mime_type = _type_of(url) or fallback_type
    return {"fileData": {"fileUri": url, **({"mimeType": mime_type} if mime_type else {})}}


def _type_of(name: str) -> str | None:
    extension = _EXTENSION.search(name)
    return _TYPES.get(extension[1].lower()) if extension else None


def _inline(mime_type: str, data: str) -> Part:
    return {"inlineData": {"mimeType": mime_type, "data": data}}
