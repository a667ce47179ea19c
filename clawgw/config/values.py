"""The kinds of values a configuration is made of: a type and what it must be beyond its type."""

import re
import warnings
from typing import Annotated

from clawgw.config.addresses import BIND, parse_bind
from clawgw.config.rules import NoneOf, Parses, Pattern, Range

RESERVED_HEADERS = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
        *("te", "trailer", "transfer-encoding", "upgrade", "expect", "via"),
        *("host", "content-length", "content-type", "content-encoding", "accept-encoding"),
        *("authorization", "x-api-key", "x-goog-api-key", "cookie"),
    }
)
"""Headers of one connection (RFC 9110, section 7.6.1), of one body, or with a key: the gateway sets them itself."""

_QUANTILE = r"p[1-9][0-9]?"


def parse_optional_bind(text: str) -> None:
    """An address to listen on, or nothing."""
    if text:
        parse_bind(text)


def parse_hedge_after(value: str | float) -> None:
    """A quantile of the time to first token (p1 to p99), or seconds."""
    seconds = not isinstance(value, str) and value > 0
    if not seconds and not (isinstance(value, str) and re.fullmatch(_QUANTILE, value)):
        raise ValueError("must be a quantile such as p95, or seconds, more than 0")


def parse_regex(text: str) -> None:
    """A regular expression, as Python's `re` has it, that only matches what is there."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pattern = re.compile(text)
    except (re.error, Warning, RecursionError, OverflowError) as error:
        raise ValueError(f"must be a regular expression of Python's: {error}") from None
    if pattern.match(""):
        raise ValueError("must not match where there is nothing: write + for *, say")


MAX_BODY_BYTES = 256 * 1024

Count = Annotated[int, Range(least=1)]
BodyBytes = Annotated[int, Range(least=1, most=MAX_BODY_BYTES)]
PerMinute = Annotated[int, Range(least=1, most=10**10)]
Places = Annotated[int, Range(least=1, most=10**6)]
Dollars = Annotated[float, Range(least=0, most=4_000_000)]
"""With these bounds limits are reckoned exactly, in doubles too, as Redis needs."""
Positive = Annotated[float, Range(above=0)]
PositiveOrZero = Annotated[float, Range(least=0)]
Ratio = Annotated[float, Range(least=0, most=1)]

Word = Annotated[str, Pattern(r"[!-~]+", "visible ASCII characters without spaces")]
ModelName = Annotated[str, Pattern(r"[!-~]+", "a model's name, without spaces")]
ProviderName = Annotated[
    str, Pattern(r"[A-Za-z0-9][A-Za-z0-9._-]*", "named with letters, digits, `.`, `_` and `-` only")
]
RouteName = Annotated[str, Pattern(r"[!-)+-~]+\*?|\*", "named like a model, without spaces, `*` at the end only")]
TargetName = Annotated[str, Pattern(r"[A-Za-z0-9._-]+/[!-~]+", "provider/model")]
LabelName = Annotated[str, Pattern(r"[^:]+:[^\n]+", "a label, name:value")]
FileName = Annotated[str, Pattern(r"[^\x00]+", "a file's name")]
Function = Annotated[str, Pattern(r"[A-Za-z_][A-Za-z0-9_]*:[A-Za-z_][A-Za-z0-9_]*", "module:function")]
Reference = Annotated[
    str, Pattern(r"env:[A-Za-z_][A-Za-z0-9_]*|file:[^\x00]+", "env:NAME or file:PATH, never the key itself")
]
Regex = Annotated[str, Parses(parse_regex, (Pattern(r"[\s\S]+", "a regular expression, as Python has it"),))]
Address = Annotated[
    str, Pattern(r"(env|file):[^\x00]+|[^@\x00]+", "env:NAME, file:PATH or an address without a password")
]
DatabaseName = Annotated[
    str, Pattern(r"[!#%-)+-\-0-9;=@-\[\]-{}~]{1,63}", 'a name without spaces and `/\\."$*<>:|?`, up to 63 long')
]
CollectionName = Annotated[
    str,
    Pattern(
        r"(?!system\.)[!-#%-\-/-~]+(\.[!-#%-\-/-~]+)*",
        "a name without spaces and `$`, that neither begins with `system.` nor with a dot, nor ends with one",
    ),
]
TopicName = Annotated[str, Pattern(r"[A-Za-z0-9._-]{1,249}", "up to 249 letters, digits, `.`, `_` and `-`")]
Sha256 = Annotated[str, Pattern(r"[0-9a-fA-F]{64}", "the 64 hex digits of the key's SHA-256")]
HeaderName = Annotated[
    str,
    Pattern(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", "a header's name (RFC 9110)"),
    NoneOf(RESERVED_HEADERS, "a header that the gateway does not set itself"),
]
HeaderValue = Annotated[str, Pattern(r"[!-~]([\t -~]*[!-~])?", "a header's value: visible ASCII")]
BindAddress = Annotated[str, Parses(parse_bind, (Pattern(BIND, "HOST:PORT or [IPv6]:PORT"),))]
OptionalBindAddress = Annotated[
    str, Parses(parse_optional_bind, (Pattern(f"({BIND})?", "HOST:PORT, [IPv6]:PORT or nothing"),))
]
HedgeAfter = Annotated[
    str | float, Parses(parse_hedge_after, (Pattern(_QUANTILE, "a quantile or seconds"), Range(above=0)))
]
