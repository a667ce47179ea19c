"""OpenAI's content parts as Anthropic's content blocks.

Text, images and documents; a part that is Anthropic's own already passes unchanged, so a caller can send search results
or cited documents. `cache_control` on a part stays on its block. Blank text is left out, because the API refuses it.

https://platform.claude.com/docs/en/api/messages/create, https://platform.claude.com/docs/en/build-with-claude/files
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Callable
from typing import Any

from clawgw.wire.anthropic.errors import unsupported
from clawgw.wire.anthropic.replay import Block
from clawgw.wire.json_body import get_object, get_text

_IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_NATIVE = frozenset({"image", "document", "search_result", "container_upload", "tool_reference"})
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w.-]+=[^;,]*)*)(;base64)?,", re.ASCII)
_WEB_URL = re.compile(r"https?://", re.IGNORECASE)


def blocks_of(message: dict[str, Any]) -> list[Block]:
    """The content of a message of any role; a mark for the cache on the message itself goes on the last block."""
    blocks = content_blocks(message.get("content"))
    if blocks and message.get("cache_control"):
        blocks[-1] = {**blocks[-1], "cache_control": message["cache_control"]}
    return blocks


def content_blocks(content: Any) -> list[Block]:
    """A string, a list of parts, or null."""
    if isinstance(content, list):
        return [block for part in content if (block := _block(part))]
    return [text_block(content)] if content and not content.isspace() else []


def text_block(text: str) -> Block:
    """A block of text and nothing else."""
    return {"type": "text", "text": text}


def compact(blocks: list[Block]) -> str | list[Block]:
    """A lone block of bare text as the string that it is; the API takes either."""
    match blocks:
        case [{"type": "text", "text": str(text), **more}] if not more:
            return text
        case _:
            return blocks


def _block(part: dict[str, Any]) -> Block | None:
    kind = get_text(part, "type")
    if kind in _NATIVE:
        return part
    if kind not in _READERS:
        raise unsupported("messages", f"Anthropic takes no {kind or 'untyped'} content parts.")
    block = _READERS[kind](part)
    if block and part.get("cache_control"):
        block["cache_control"] = part["cache_control"]
    return block


def _text(part: dict[str, Any]) -> Block | None:
    text = get_text(part, "text") or get_text(part, "refusal")
    return text_block(text) if text and not text.isspace() else None


def _image(part: dict[str, Any]) -> Block:
    url = _url(part, "image_url")
    if _WEB_URL.match(url):
        return {"type": "image", "source": {"type": "url", "url": url}}
    media_type, data = _data_url(url)
    if media_type not in _IMAGE_TYPES:
        raise unsupported("messages", f"Anthropic takes JPEG, PNG, GIF and WebP images, not {media_type}.")
    return _image_block(media_type, data)


def _image_block(media_type: str, data: str) -> Block:
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def _file(part: dict[str, Any]) -> Block:
    file = get_object(part, "file")
    if file_id := get_text(file, "file_id"):
        return _document({"type": "file", "file_id": file_id})
    block = _fetched_or_inline(get_text(file, "file_data"))
    if block["type"] == "document" and (title := get_text(file, "filename")):
        block["title"] = title
    return block


def _document_by_url(part: dict[str, Any]) -> Block:
    return _fetched_or_inline(_url(part, "document_url"))


def _fetched_or_inline(url: str) -> Block:
    if _WEB_URL.match(url):
        return _document({"type": "url", "url": url})
    media_type, data = _data_url(url)
    if media_type in _IMAGE_TYPES:
        return _image_block(media_type, data)
    if media_type == "application/pdf":
        return _document({"type": "base64", "media_type": media_type, "data": data})
    if media_type.startswith("text/"):
        return _document({"type": "text", "media_type": "text/plain", "data": _decoded(data)})
    raise unsupported("messages", f"Anthropic takes PDF, plain text and images as files, not {media_type}.")


def _document(source: dict[str, Any]) -> Block:
    return {"type": "document", "source": source}


def _url(part: dict[str, Any], name: str) -> str:
    """The URL in a part: bare, as Mistral writes it, or in an object."""
    return get_text(part, name) or get_text(get_object(part, name), "url")


def _data_url(url: str) -> tuple[str, str]:
    """Media type and base64 data of a data URL (RFC 2397)."""
    head = _DATA_URL.match(url)
    if not head or not head[3]:
        raise unsupported("messages", "Anthropic takes media as an http(s) URL or as a data URL in base64.")
    media_type = (head[1] or "text/plain").lower()
    return "image/jpeg" if media_type == "image/jpg" else media_type, url[head.end() :]


def _decoded(data: str) -> str:
    try:
        return b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise unsupported("messages", "A text file is to be UTF-8 in base64.") from error


_READERS: dict[str, Callable[[dict[str, Any]], Block | None]] = {
    "text": _text,
    "refusal": _text,
    "image_url": _image,
    "document_url": _document_by_url,
    "file": _file,
}
