"""The record: one per request, whatever its end, with every attempt.

Times are milliseconds: `at` since the Unix epoch, the others since the request came in. A record holds names from the
configuration and what the caller said of itself; never a secret, and a message only where bodies are kept.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from attrs import field, frozen

from clawgw.fact import fact
from clawgw.policy import Target, Trigger
from clawgw.routing.money import dollars

Outcome = Literal["ok", "error", "cancelled", "unknown"]
AttemptOutcome = Literal["won", "lost", "cancelled", "failed"]
UsageSource = Literal["reported", "estimated"]
Cached = Literal["hit"]


@fact
class AttemptRecord:
    """One try at one target. `lost`: it answered, another was first. `cancelled`: it was ended before it answered."""

    target: Target
    trigger: Trigger
    started_ms: float
    ended_ms: float
    outcome: AttemptOutcome
    first_token_ms: float | None = None
    status: int | None = None
    error_code: str | None = None
    prompt_tokens: int | None = None
    """Also of an attempt without an answer, once its request was sent; None: it was not, or it was refused."""
    completion_tokens: int | None = None
    usage_source: UsageSource | None = None
    cost_pico: int | None = None
    """In pico-dollars (10⁻¹² USD); None: there is no usage, or no price."""
    provider_key: str | None = None
    """What tells the key of the provider's pool from the others; no secret."""

    @property
    def cost_usd(self) -> float | None:
        """The cost as it is shown."""
        return None if self.cost_pico is None else dollars(self.cost_pico)


@frozen
class Bodies:
    """What a request and its answer say, as JSON without secrets, each perhaps cut (`ledger.redaction`)."""

    request: str | None = field(default=None, repr=False)
    """None: both were dropped."""
    response: str | None = field(default=None, repr=False)
    """None: there was no answer, or it was dropped."""

    @property
    def dropped(self) -> bool:
        """Whether there was more than there is here."""
        return self.request is None


DROPPED = Bodies()


class Opening(NamedTuple):
    """What is known of a request at once; its record begins with the same fields."""

    request_id: str
    at_ms: int
    endpoint: str
    config_version: str
    client_request_id: str | None
    key: str | None
    """The name of the caller's key."""
    labels: Mapping[str, str]
    stream: bool
    user: str | None
    metadata: Mapping[str, str]


@fact
class RequestRecord:
    """One request. `status` is the HTTP status the client saw, or would have seen (499: it left; 0: nobody knows)."""

    request_id: str
    at_ms: int
    endpoint: str
    config_version: str
    client_request_id: str | None = None
    key: str | None = None
    labels: Mapping[str, str] = field(factory=dict)
    stream: bool = False
    user: str | None = None
    metadata: Mapping[str, str] = field(factory=dict)
    outcome: Outcome = "unknown"
    status: int = 0
    duration_ms: float = 0.0
    route: str | None = None
    error_code: str | None = None
    provider: str | None = None
    model: str | None = None
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    usage_source: UsageSource | None = None
    cost_pico: int | None = None
    """Of all attempts whose cost is known, in pico-dollars; None: it is known of none."""
    cache: Cached | None = None
    """Whether the answer came from the cache."""
    first_token_ms: float | None = None
    upstream_ms: float = 0.0
    """Time in which at least one upstream was waited for; `duration_ms - upstream_ms` is the gateway's own."""
    attempts: Sequence[AttemptRecord] = ()
    bodies: Bodies | None = None
    """None: they are not to be kept."""

    @property
    def cost_usd(self) -> float | None:
        """The cost as it is shown."""
        return None if self.cost_pico is None else dollars(self.cost_pico)


class Ledger(Protocol):
    """Where requests are written down: that they begin, and their records. For one task at a time."""

    def intend(self, opening: Opening) -> None:
        """A request is about to be served; its outcome is unknown. Raises `LogSpoolFull`: it must not be."""

    def request_ended(self, record: RequestRecord) -> None:
        """Its record, which begins as the intended one. Of a request that was not intended, raises `LogSpoolFull`."""

    async def durable(self) -> None:
        """To be awaited before a client is told the end. Raises `LogSpoolFull`."""


class Unwritten:
    """A `Ledger` of nothing."""

    def intend(self, opening: Opening) -> None:
        """As `Ledger.intend`."""

    def request_ended(self, record: RequestRecord) -> None:
        """As `Ledger.request_ended`."""

    async def durable(self) -> None:
        """As `Ledger.durable`."""


class Listener(Protocol):
    """Whoever wants to know of requests: metrics, a log. Called on the request's own task; must not block."""

    def request_started(self, endpoint: str) -> None:
        """A checked request is being served."""

    def request_ended(self, record: RequestRecord) -> None:
        """The same request is over."""
