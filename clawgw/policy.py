"""The words of routing and quota decisions, and the only module of clawgw that a policy imports.

A policy is a plain, synchronous, pure function `route(request, targets, options) -> Plan`: it is handed the facts of
one request and a view of each target of the route, and returns a plan. A plan is data: which targets are tried, in
which order, and what starts each one. The engine runs it. docs/policies.md shows how to write and test one.

A quota policy is a function `quota(request, options) -> Sequence[Charge]`: the buckets a request is charged to.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

from attrs import field, frozen

ANSWER_TOKENS = 1024
"""How long an answer is taken to be where the request sets no limit."""

_ROUNDING = 1e-9

Trigger = Literal["primary", "retry", "failover", "silence", "hedge", "race"]
BreakerState = Literal["closed", "open", "half_open"]


class Target(NamedTuple):
    """A provider's name in the configuration and the provider's own name of a model."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


@frozen
class RequestFacts:
    """What a policy may know of a request. Nothing of what its messages say."""

    model: str
    """The name the client asked for: the route's, mostly."""
    endpoint: str = "chat.completions"
    """chat.completions, completions or embeddings."""
    stream: bool = False
    user: str | None = None
    key: str | None = None
    """The name of the caller's key; None where no key is needed."""
    labels: Mapping[str, str] = field(factory=dict)
    """The labels of the caller's key."""
    metadata: Mapping[str, str] = field(factory=dict)
    """The request's own `metadata`."""
    headers: Mapping[str, str] = field(factory=dict)
    """The request's `x-…` headers and its user agent, names in lower case; never one that carries a key."""
    tools: int = 0
    """How many tools are offered."""
    images: int = 0
    """How many images, files and sounds the messages hold."""
    estimated_tokens: int = 0
    """The prompt's size in tokens, estimated."""
    max_tokens: int | None = None
    """The longest answer the client wants, in tokens."""
    now: float = 0.0
    """When the request came: Unix seconds."""
    random: float = 0.5
    """A number in [0, 1) made from the request's id: the same request rolls the same dice."""


@frozen(eq=False, slots=False)
class Quantiles:
    """How long answers took: times from fast to slow, and for each the share of answers that took no longer."""

    times_s: Sequence[float] = field(repr=False)
    shares: Sequence[float] = field(repr=False)

    def at(self, share: float) -> float:
        """What so many of the answers took at most: `at(0.95)` is the p95, in seconds. `share` is in (0, 1]."""
        return self.times_s[bisect_left(self.shares, share - _ROUNDING)]

    @cached_property
    def p50_s(self) -> float:
        """The median."""
        return self.at(0.50)

    @cached_property
    def p95_s(self) -> float:
        """What 95 of 100 answers took at most."""
        return self.at(0.95)

    @cached_property
    def p99_s(self) -> float:
        """What 99 of 100 answers took at most."""
        return self.at(0.99)


@frozen(slots=False)
class TargetView:
    """What is known of a target at this moment, in this worker. Times are seconds, prices USD per million tokens.

    None is said where it is not known: too few samples, no limit, no price.
    """

    target: Target
    ready: bool = True
    """Whether the provider can be called at all: it has a key, or needs none."""
    breaker: BreakerState = "closed"
    cooling_s: float = 0.0
    """How long the provider still wants to be left alone after a 429."""
    in_flight: int = 0
    p50_s: float | None = None
    """The median time to the first token over the last minute."""
    p95_s: float | None = None
    p99_s: float | None = None
    first_token: Quantiles | None = None
    """All quantiles of that time."""
    peak_ewma_s: float | None = None
    """The time to the first token, averaged with a decay of 10 s; a slow answer counts at once."""
    failure_ratio: float = 0.0
    """The share of failed attempts over the last 30 s."""
    remaining_ratio: float = 1.0
    """What is left of the provider's limits here, from 0 to 1."""
    input_price: float | None = None
    output_price: float | None = None
    context_window: int | None = None

    @property
    def available(self) -> bool:
        """Whether an attempt now would be let through."""
        return self.ready and self.breaker != "open" and not self.cooling_s

    def cost_usd(self, request: RequestFacts) -> float | None:
        """What the request would cost here, with an answer as long as it may be or `ANSWER_TOKENS`; None: no price."""
        if self.input_price is None or self.output_price is None:
            return None
        answer_tokens = ANSWER_TOKENS if request.max_tokens is None else request.max_tokens
        return (self.input_price * request.estimated_tokens + self.output_price * answer_tokens) / 1_000_000


@frozen
class AtOnce:
    """The attempt starts with the request."""


@frozen
class After:
    """The attempt starts so many seconds after the one before it, or when that one fails: a hedge.

    The hedge budget may refuse it; then only the failure starts it.
    """

    seconds: float


@frozen
class OnFailure:
    """The attempt starts when the one before it has failed, or has been silent for `after_silence_s` seconds.

    Silence means not one byte of an answer; the silent attempt goes on and may still win. None: as long as the route's
    `failover_after_s` says. `math.inf`: only failure counts.
    """

    after_silence_s: float | None = None


Start = AtOnce | After | OnFailure
_AT_ONCE, _ON_FAILURE = AtOnce(), OnFailure()


@frozen
class PlannedAttempt:
    """One target and what starts it."""

    target: Target
    start: Start = _AT_ONCE


@frozen
class Charge:
    """A bucket that a quota policy charges a request to, and how large it is; None: not limited in this way.

    The same `bucket` with the same kind of limit is the same bucket, for whichever request it is named.
    """

    bucket: str
    """Any name: `team:search`, `user:42`. It may be made of what a client says; it is kept as a hash only."""
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent: int | None = None
    budget_usd: float | None = None
    per: Literal["hour", "day", "month"] = "day"
    """The calendar window of `budget_usd`, UTC."""
    requests: int = 1
    """How many requests this one counts for."""


def _in_order(attempts: Iterable[PlannedAttempt]) -> tuple[PlannedAttempt, ...]:
    return tuple(attempts)


@frozen
class Plan:
    """Attempts in order; the first always starts at once. `reason` is for people: `clawgw explain` shows it."""

    attempts: tuple[PlannedAttempt, ...] = field(converter=_in_order)
    reason: str = ""


def in_turn(targets: Iterable[TargetView], reason: str = "") -> Plan:
    """The first target at once, each further one when the one before it has failed or is silent for too long."""
    start: Start = _AT_ONCE
    attempts = []
    for view in targets:
        attempts.append(PlannedAttempt(view.target, start))
        start = _ON_FAILURE
    return Plan(attempts, reason)
