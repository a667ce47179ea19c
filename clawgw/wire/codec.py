"""What a wire format is: data in, data out.

Rules of this package. No I/O, no clock, no randomness, no logging: what varies is handed in. A codec turns a checked
request of ours into the bytes an upstream wants, and the bytes it answers with into OpenAI's own shapes. The canonical
form is OpenAI's, because that is what clients speak: an answer is a `chat.completion` dict, a stream is a sequence of
`chat.completion.chunk` dicts. What an upstream does wrong is a `Failure`, raised in `WireError` by the parsers of whole
bodies and handed out as the last event by the parsers of streams. No input, whatever its bytes, raises anything else.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

import orjson
from attrs import field, frozen

from clawgw.fact import fact
from clawgw.wire.request import ChatRequest, EmbeddingsRequest, TextRequest

MAX_EVENT_BYTES = 4 * 1024 * 1024
"""The longest single event of a stream that is taken; a longer one is a failure of kind TOO_LARGE."""


class Kind(Enum):
    """What went wrong upstream, as far as anything is decided by it (`routing.retry` decides)."""

    BAD_REQUEST = "bad_request"
    """400, 413, 422 about the request itself: the client's fault, never retried."""
    CONTEXT_LENGTH = "context_length"
    """The prompt is too long for the model: 400 `context_length_exceeded`, never retried."""
    CONTENT_POLICY = "content_policy"
    """The content was refused (moderation): 400, never retried."""
    MODEL_NOT_FOUND = "model_not_found"
    AUTH = "auth"
    """401, or a 403 or 400 about the key or the account: the key is set aside."""
    QUOTA = "quota"
    """No credit, spend limit, daily quota: the key is set aside, waiting does not help."""
    RATE_LIMITED = "rate_limited"
    """429 or 498: asked too often, waiting helps."""
    SERVER = "server"
    """5xx, 408, 409, 524, 529, overloaded: the provider's fault."""
    CONNECT = "connect"
    """No connection: refused, DNS, TLS, connect timeout, forbidden address."""
    TIMEOUT = "timeout"
    """No answer in time."""
    RESET = "reset"
    """The connection broke, or ended before the answer was whole."""
    INVALID = "invalid"
    """An answer that is not what the format says: HTML, broken JSON, a missing part."""
    TOO_LARGE = "too_large"
    """A line, event or body over its cap."""
    IDLE = "idle"
    """A stream that stalled between two chunks."""
    LOOP = "loop"
    """The upstream is this gateway."""
    UNSUPPORTED = "unsupported"
    """The target cannot do what the request asks; nothing was sent."""
    UNAVAILABLE = "unavailable"
    """The target's breaker is open; nothing was sent."""
    OVER_LIMIT = "over_limit"
    """A limit or budget that the configuration sets for the provider is used up; nothing was sent."""
    KEY_OVER_LIMIT = "key_over_limit"
    """One that it sets for each key of the provider's pool; nothing was sent."""


NEVER_SENT = frozenset({Kind.UNSUPPORTED, Kind.UNAVAILABLE, Kind.OVER_LIMIT, Kind.KEY_OVER_LIMIT})


@frozen
class Failure:
    """One attempt's end without an answer.

    `message` is safe to show: parsers cut it to 1000 characters and the engine redacts the keys in it. `status` is the
    upstream's HTTP status if it sent one. `retry_after_s` is the upstream's own hint. `held_back`: the gateway obeys an
    earlier failure, nothing was sent this time.
    """

    kind: Kind
    message: str
    status: int | None = None
    code: str | None = None
    param: str | None = None
    retry_after_s: float | None = None
    held_back: bool = False

    @property
    def sent(self) -> bool:
        """Whether anything was sent, so that this was an attempt."""
        return not self.held_back and self.kind not in NEVER_SENT


class WireError(Exception):
    """The only exception of this package that an upstream's bytes, or a target's limits, can raise."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@fact
class Particulars:
    """What a bill may depend on beside the counts: tokens of kinds that have prices of their own, and more."""

    cache_write_1h: int = 0
    """Of `cache_write`, what is kept for an hour and not for five minutes (Anthropic)."""
    audio_prompt: int = 0
    audio_cached: int = 0
    """Of `cached`; a part of `audio_prompt` as well."""
    audio_completion: int = 0
    image_completion: int = 0
    audio_seconds: int = 0
    """The length of the sounds in the prompt, where that is billed and not their tokens (Mistral)."""
    web_searches: int = 0
    """Searches that ran on the provider's side and are billed one by one (Anthropic)."""
    service_tier: str = ""
    """How the provider says it served this, where that has prices of its own: `flex`, `priority` or `fast`."""
    cost_usd: float | None = None
    """What the provider says it has billed (OpenRouter)."""


@fact
class Usage:
    """What an answer used, in tokens. `cached`, `cache_write` are parts of `prompt`; `reasoning` of `completion`.

    `body` is the OpenAI `usage` object for the client, with whatever else an OpenAI-shaped upstream put into it.
    """

    prompt: int
    completion: int
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0
    body: Mapping[str, Any] = field(factory=dict)
    particulars: Particulars = Particulars()


@fact
class Chunk:
    """One `chat.completion.chunk` (or `text_completion` chunk) without its `usage` key.

    `commits` is True where a delta holds the first kind of thing a client came for: non-empty content, refusal,
    reasoning, audio or a tool call. Role-only and finish-only chunks do not commit.
    """

    body: dict[str, Any]
    commits: bool


@fact
class Passage:
    """Chunks in a row, alike but for what they say, and with the same head as the last `Chunk` before them.

    Kept as they came: to build each would cost several times as much as to pass it on. Each of `fields` fills
    `template`, a `%`-format, to the JSON of one chunk; `texts` has what each says, none of them empty.
    """

    template: bytes = field(repr=False)
    fields: Sequence[bytes | tuple[bytes, ...]] = field(repr=False)
    texts: Sequence[str]

    def chunks(self) -> list["Chunk"]:
        """Each by itself; all commit."""
        return [Chunk(orjson.loads(self.template % fields), commits=True) for fields in self.fields]


@fact
class UsageReport:
    """Usage so far; a later report replaces an earlier one, it never adds to it."""

    usage: Usage


@fact
class Failed:
    """The stream has failed; the last event of a parser."""

    failure: Failure


@fact
class Done:
    """The stream is whole: a finish reason was seen, and the format's own end or its EOF. A parser's last event."""


SingleEvent = Chunk | UsageReport | Failed | Done
Event = SingleEvent | Passage


def unfold(events: Iterable[Event]) -> Iterator[SingleEvent]:
    """`events` with the chunks of each passage in its place."""
    for event in events:
        if isinstance(event, Passage):
            yield from event.chunks()
        else:
            yield event


class StreamParser(Protocol):
    """Bytes of a 2xx stream in, events out; the same however the bytes are split, a `Passage` being its chunks.

    After `Failed` or `Done` every further call returns nothing. An end without a finish reason is a `Failed` of kind
    RESET. Memory stays under `MAX_EVENT_BYTES` and a constant.
    """

    def feed(self, data: bytes) -> list[Event]:
        """Take what one read brought."""

    def finish(self) -> list[Event]:
        """The connection ended: what is left, closed by `Done` or `Failed`."""


@fact
class Completion:
    """A whole answer in OpenAI's shape (`chat.completion`, `text_completion` or an embeddings `list`)."""

    body: dict[str, Any]
    usage: Usage | None
    finish_reason: str | None = None


@frozen
class WireTarget:
    """As much of a target as a codec needs."""

    provider: str
    """The provider's name in the configuration, for messages."""
    model: str
    """The upstream's own name of the model."""
    api_version: str | None = None
    default_temperature: float | None = None
    default_max_tokens: int | None = None


@fact
class UpstreamRequest:
    """What is to be sent: a POST of JSON to the provider's base URL + `path`, with these headers and those of the key.

    `dropped` names the request's hints that this target cannot take (top-level field names, sorted).
    """

    path: str
    body: bytes
    headers: Mapping[str, str] = field(factory=dict)
    dropped: Sequence[str] = ()


class Codec(Protocol):
    """One wire format, both directions. The `build_` methods raise `WireError` of kind UNSUPPORTED (with `param`)."""

    @property
    def name(self) -> str:
        """What the configuration calls it."""

    def auth_headers(self, key: str) -> Mapping[str, str]:
        """The header that carries the provider's key."""

    def build_chat(self, request: ChatRequest, target: WireTarget) -> UpstreamRequest:
        """A chat request in the upstream's words."""

    def parse_chat(self, body: bytes, request: ChatRequest, target: WireTarget, now: float) -> Completion:
        """A 2xx body. `now` (Unix seconds) is `created` where the upstream says none."""

    def chat_stream(self, request: ChatRequest, target: WireTarget, now: float) -> StreamParser:
        """For the body of a 2xx chat stream; `now` as for `parse_chat`."""

    def build_embeddings(self, request: EmbeddingsRequest, target: WireTarget) -> UpstreamRequest:
        """UNSUPPORTED with code "unsupported_endpoint" where the provider embeds nothing."""

    def parse_embeddings(self, body: bytes, request: EmbeddingsRequest, target: WireTarget) -> Completion:
        """A 2xx body, as OpenAI's embeddings list, its vectors encoded as the client asked."""

    @property
    def has_text(self) -> bool:
        """Whether `/completions` is the provider's own; elsewhere it goes through chat (`wire.text`)."""

    def build_text(self, request: TextRequest, target: WireTarget) -> UpstreamRequest:
        """A text completion, where `has_text`."""

    def parse_text(self, body: bytes, request: TextRequest, target: WireTarget) -> Completion:
        """A 2xx body."""

    def text_stream(self, request: TextRequest, target: WireTarget) -> StreamParser:
        """For the body of a 2xx text stream."""

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes, now: float) -> Failure:
        """Any answer that is not 2xx. Header names are lower case. `now` is for hints that are dates."""
