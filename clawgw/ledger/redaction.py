r"""Takes out of what a request and its answer say whatever must not be written down. Pure.

That is every secret of the configuration, whatever is shaped like one, and what the configuration's own patterns match.
Texts and names are searched as they are read, not as JSON spells them. A secret is also found where it was escaped, any
number of times, because a text is JSON itself, as the arguments of a tool call are: `se\"cret` for `se"cret`; and as
it is in an address: `se%22cret`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Self
from urllib.parse import quote

import orjson
from attrs import define, frozen

REDACTED: Final = "[redacted]"
TRUNCATED: Final = "[truncated]"
"""Comes after a text that was cut; no JSON ends so."""


@frozen
class _Finder:
    """What to look for. `needle` is in every text that the pattern matches: to look for that is much quicker."""

    needle: str
    pattern: re.Pattern[str]
    replacement: str = REDACTED


def _shape(needle: str, pattern: str) -> _Finder:
    return _Finder(needle, re.compile(pattern))


def _labelled(needle: str, label: str, value: str) -> _Finder:
    """Of a label and what it announces, the label stays."""
    return _Finder(needle, re.compile(f"({label}){value}"), rf"\1{REDACTED}")


_TOKEN: Final = r"[A-Za-z0-9._~+/=-]{8,}"  # noqa: S105 - what tokens look like
_IS: Final = r"""["'\\\s]*+[:=]["'\\\s]*+(?:(?i:basic|bearer)\s++)?+"""
_VALUE: Final = r"""[^\s"'\\,;}\[]{6,}"""

_SHAPES: Final = (
    _shape("sk-", r"sk-(?<![A-Za-z0-9]sk-)[A-Za-z0-9_-]{6,}"),  # OpenAI, Anthropic, OpenRouter, Moonshot
    _shape("gsk_", r"gsk_[A-Za-z0-9]{6,}"),  # Groq
    _shape("AIza", r"AIza[A-Za-z0-9_-]{16,}"),  # Google
    _shape("clawgw-", r"clawgw-[A-Za-z0-9_-]{32,}"),  # `clawgw keys new`
    _shape("AKIA", r"AKIA[A-Z0-9]{12,}"),  # AWS
    _shape("gh", r"gh[pousr]_[A-Za-z0-9]{20,}"),  # GitHub
    _shape("xox", r"xox[abeoprs]-[A-Za-z0-9-]{10,}"),  # Slack
    _shape("eyJ", r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),  # JSON Web Tokens: RFC 7519
    _shape("PRIVATE KEY", r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}-----|\Z)"),  # PEM
    _labelled("earer", r"earer\s++", _TOKEN),  # RFC 6750
    _labelled("EARER", r"EARER\s++", _TOKEN),
    _labelled("pi", rf"pi[_-]?[Kk]ey{_IS}", _VALUE),  # x-api-key, x-goog-api-key, api_key, apiKey
    _labelled("PI", rf"PI[_-]?K(?:EY|ey){_IS}", _VALUE),
    _labelled("uthorization", rf"uthorization{_IS}", _VALUE),
    _labelled("UTHORIZATION", rf"UTHORIZATION{_IS}", _VALUE),
)
_SECRET_NAMES: Final = frozenset(
    {
        *("authorization", "proxy_authorization", "api_key", "apikey", "x_api_key", "x_goog_api_key"),
        *("access_token", "refresh_token", "client_secret", "password", "private_key"),
    }
)
"""Members of objects, in lower case and with `_`, whose texts are secrets whatever they look like."""
_LEAST_MARGIN: Final = 4096
_LEAST_BEGINNING: Final = 4
"""What is shorter tells nothing of a secret."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9._~-]+")
"""What nobody escapes, neither in JSON nor in an address."""
_PIECES: Final = re.compile(r"\\+|[^\\]")


@frozen
class Redactor:
    """For one configuration. `secrets` are the longest first."""

    secrets: Sequence[str]
    _finders: Sequence[_Finder]
    margin: int
    """So many characters beyond the last one that is kept are searched too: a match may begin before it."""

    @classmethod
    def of(cls, secrets: Iterable[str], patterns: Iterable[str] = ()) -> Self:
        """`patterns`: regular expressions of the configuration's own."""
        longest_first = sorted(filter(None, set(secrets)), key=len, reverse=True)
        own = (_Finder("", re.compile(pattern)) for pattern in patterns)
        margin = max(_LEAST_MARGIN, 2 * len(longest_first[0]) if longest_first else 0)
        return cls(longest_first, (*map(_finder, longest_first), *_SHAPES, *own), margin)

    def json(self, value: Any, most: int, *, whole: bool = True, cut: bool = False) -> str:
        """A value as JSON, redacted; what is longer than `most` bytes is cut there, and `TRUNCATED` follows.

        Not `whole`: the value's texts may end anywhere, also within a secret. `cut`: there was more before.
        """
        copy = _Copy(self, most, whole, cut)
        text = _without(self._finders[: len(self.secrets)], orjson.dumps(copy.of(value)).decode())
        data = text.encode()
        return text if len(data) <= most and not copy.cut else data[:most].decode(errors="ignore") + TRUNCATED

    def text(self, text: str) -> str:
        """A text without any of them."""
        return _without(self._finders, text)

    def without_beginning(self, text: str) -> str:
        """A text without the part of a secret that it ends with."""
        for secret in self.secrets:
            for length in range(min(len(secret) - 1, len(text)), _LEAST_BEGINNING - 1, -1):
                if text.endswith(secret[:length]):
                    return text[:-length] + REDACTED
        return text


@define
class _Copy:
    """A value on its way into a JSON text of `room` more bytes; what cannot be in it any more is not looked at."""

    redactor: Redactor
    room: int
    whole: bool
    cut: bool

    def of(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            return dict(self._member(name, value[name]) for name in self._while_room(value))
        if isinstance(value, list):
            return [self.of(item) for item in self._while_room(value)]
        self.room -= len(repr(value))
        return value

    def _while_room(self, items: Iterable[Any]) -> Iterator[Any]:
        self.room -= len("[")
        for item in items:
            if self.room < 0:
                self.cut = True
                return
            yield item
            self.room -= len(",")

    def _member(self, name: str, value: Any) -> tuple[str, Any]:
        hidden = isinstance(value, str) and name.lower().replace("-", "_") in _SECRET_NAMES
        kept_name = self._text(name)
        self.room -= len(":")
        return kept_name, REDACTED if hidden else self.of(value)

    def _text(self, text: str) -> str:
        window = text[: max(self.room, 0) + self.redactor.margin]
        redacted = self.redactor.text(window)
        if len(window) < len(text):
            self.cut = True
            redacted = redacted[: -self.redactor.margin]
        if not self.whole:
            redacted = self.redactor.without_beginning(redacted)
        self.room -= len(redacted) + 2
        return redacted


def _without(finders: Iterable[_Finder], text: str) -> str:
    for finder in finders:
        if finder.needle in text:
            text = finder.pattern.sub(finder.replacement, text)
    return text


def _finder(secret: str) -> _Finder:
    """Finds a secret, also where what JSON escapes in it was escaped. Nothing backtracks: it takes linear time."""
    first = "" if _PLAIN.match(secret) else r"(?<!\\)"
    pattern = re.compile(first + "".join(map(_spelled, _PIECES.findall(secret))))
    return _Finder(max(_PLAIN.findall(secret), key=len, default=""), pattern)


def _spelled(piece: str) -> str:
    """As it is, as JSON may escape it (RFC 8259, 7), or as an address does (RFC 3986, 2.1)."""
    in_addresses = quote(piece[0], safe="")
    if piece.startswith("\\"):
        return rf"(?:\\++|(?i:{in_addresses})++)"
    if _PLAIN.match(piece):
        return re.escape(piece)
    return rf"(?:\\*+{re.escape(piece)}|\\++(?i:u{ord(piece):04x})|(?i:{in_addresses}))"
