"""What a client's `cache-control` asks for (RFC 9111, section 5.2.1). Pure.

`no-cache`: a fresh answer, which may be kept; `no-store`: a fresh one that is not kept; `max-age=N`: one that is at
most N seconds old. Others change nothing.
"""

import math
from collections.abc import Iterator

from attrs import frozen

from clawgw.routing.facts import RawHeaders


@frozen
class Directives:
    """`read`: an answer may come from the cache, if it is no older than `max_age_s`; `keep`: it may go there."""

    read: bool = True
    keep: bool = True
    max_age_s: float = math.inf


def directives(headers: RawHeaders) -> Directives:
    """Of all `cache-control` headers together. Names of headers are lower case."""
    said = dict(_said(headers))
    keep = "no-store" not in said
    age = said.get("max-age", "")
    max_age_s = int(age) if age.isdecimal() and age.isascii() and len(age) < 16 else math.inf
    return Directives(keep and "no-cache" not in said and max_age_s > 0, keep, max_age_s)


def _said(headers: RawHeaders) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        if name == b"cache-control":
            for directive in value.decode("latin-1").lower().split(","):
                word, _, argument = directive.strip().partition("=")
                yield word, argument.strip('"')
