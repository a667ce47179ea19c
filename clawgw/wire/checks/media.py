"""Media that a message refers to: by an http(s) URL that the provider fetches itself, or inline as a data URL.

No other scheme goes on: `file:`, `ftp:` or `gs:` would name something of the provider's or the gateway's own. The
gateway fetches nothing.
"""

import re
from typing import Any

from clawgw.wire.checks.json_shape import Misfit

MAX_URL_CHARACTERS = 8192
"""Of a URL that is fetched; a data URL is bounded by the body alone."""

_WEB_URL = re.compile(r"https?://[^\x00-\x20\x7f\"<>\\/?#][^\x00-\x20\x7f\"<>\\]*", re.IGNORECASE)
_DATA_HEAD = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(;[\w.+-]+=[^;,\s]+)*(;base64)?,", re.IGNORECASE | re.ASCII)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def media_url(value: Any) -> None:
    """An `http:`, `https:` or `data:` URL (RFC 3986, RFC 2397)."""
    if type(value) is not str:
        raise Misfit("must be a string")
    if value[:5].lower() == "data:":
        if not value.isascii() or not _DATA_HEAD.match(value):
            raise Misfit("must be a data URL of the form data:TYPE/SUBTYPE;base64,DATA")
    elif len(value) > MAX_URL_CHARACTERS or not _WEB_URL.fullmatch(value):
        raise Misfit(f"must be a data: URL, or an http(s) URL of at most {MAX_URL_CHARACTERS} characters")


def media_data(value: Any) -> None:
    """Bare base64, or what `media_url` takes."""
    if type(value) is not str:
        raise Misfit("must be a string")
    if _SCHEME.match(value):
        media_url(value)
