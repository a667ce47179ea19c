"""How large a picture in a data URL is, read from its header; the picture itself is never decoded.

Formats: PNG (W3C, IHDR), GIF (89a, logical screen), JPEG (ITU T.81, SOFn), WebP (RFC 9649, VP8, VP8L, VP8X).
"""

import binascii
import struct
from collections.abc import Callable

Size = tuple[int, int]
"""Width and height in pixels, each at least 1."""

HEADER_CHARACTERS = 64 * 1024
"""As much base64 as is decoded: a JPEG's size may stand behind a colour profile and a preview."""

_START_OF_FRAME = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}


def size_of_data_url(url: str) -> Size | None:
    """None where it is no base64 data URL, or its header says no size."""
    if url[:5].lower() != "data:":
        return None
    comma = url.find(",", 0, 1024)
    if comma == -1 or not url[:comma].lower().endswith(";base64"):
        return None
    return size_of(_decoded(url[comma + 1 : comma + 1 + HEADER_CHARACTERS]))


def size_of(header: bytes) -> Size | None:
    """By a picture's first bytes; None where they are of no known format, or broken."""
    for magic, read in _READERS:
        if header.startswith(magic):
            try:
                width, height = read(header)
            except (struct.error, IndexError):
                return None
            return (width, height) if width > 0 and height > 0 else None
    return None


def _decoded(base64: str) -> bytes:
    whole = base64[: len(base64) // 4 * 4]
    try:
        return binascii.a2b_base64(whole)
    except (binascii.Error, ValueError):
        return b""


def _png(header: bytes) -> Size:
    width, height = struct.unpack_from(">II", header, 16)
    return width, height


def _gif(header: bytes) -> Size:
    width, height = struct.unpack_from("<HH", header, 6)
    return width, height


def _jpeg(header: bytes) -> Size:
    at = 2
    while header[at] == 0xFF:
        while header[at + 1] == 0xFF:
            at += 1
        marker = header[at + 1]
        if marker in _START_OF_FRAME:
            height, width = struct.unpack_from(">HH", header, at + 5)
            return width, height
        at += 2 + int(struct.unpack_from(">H", header, at + 2)[0])
    return 0, 0


def _webp(header: bytes) -> Size:
    kind = header[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", header, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = int(struct.unpack_from("<I", header, 21)[0])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8X" and len(header) >= 30:
        return 1 + int.from_bytes(header[24:27], "little"), 1 + int.from_bytes(header[27:30], "little")
    return 0, 0


_READERS: tuple[tuple[bytes, Callable[[bytes], Size]], ...] = (
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"GIF8", _gif),
    (b"\xff\xd8", _jpeg),
    (b"RIFF", _webp),
)
