"""What one request may use: reserved before anything is sent, settled when it is known what was really used.

The caller's levels (key, labels, route, quotas) are reserved once for a request; a provider's levels once for each
attempt, and a refusal there means the next target. Each reservation is settled once.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from attrs import define, evolve, field, frozen

from clawgw.config.callers import Caller
from clawgw.config.known import canonical
from clawgw.config.settings import Provider, Settings
from clawgw.errors import InvalidRequest, PriceUnknown, TokensOverLimit
from clawgw.limits.bucket import Bucket, Claim, Kind, Refused, Scope, Standing, Verdict
from clawgw.limits.levels import (
    Demand,
    Levels,
    caller_buckets,
    charged_buckets,
    pool_key_buckets,
    provider_buckets,
    route_buckets,
)
from clawgw.limits.store import LimitStore
from clawgw.limits.words import limit_text, refusal, refusal_text
from clawgw.policy import ANSWER_TOKENS, Charge, Target
from clawgw.wire.codec import Failure, WireError
from clawgw.wire.codec import Kind as FailureKind

OnRejection = Callable[[Scope, Kind], None]

SLACK_MS = 600_000
"""A stream may go on for so long after the deadline by which it has to begin."""
_UNLIMITED = Provider()


@frozen
class Expected:
    """What is known of a request before it is sent.

    `prompt_tokens(target)` counts. `cost(target, prompt_tokens, answer_tokens)` is the most that it may come to, in
    nano-dollars; None: nobody knows the target's price.
    """

    prompt_tokens: Callable[[Target], Awaitable[int]]
    cost: Callable[[Target, int, int], int | None]
    max_tokens: int | None = None
    answers: int = 1

    @property
    def answer_tokens(self) -> int:
        """How long the answer is taken to be, all choices together."""
        return (ANSWER_TOKENS if self.max_tokens is None else self.max_tokens) * self.answers


@frozen
class Reservation:
    """What was taken under one id."""

    store: LimitStore
    name: str
    claims: Sequence[Claim]

    def settle(self, used: Demand) -> None:
        """Charge what was really used, and give back the rest. A request that was sent counts as it was claimed."""
        self.store.settle(self.name, [_really(bucket.kind, amount, used) for bucket, amount in self.claims])


@define(eq=False)
class Limiter:
    """The limits of one configuration, over a store that outlives it. `on_rejection` is told of every refusal."""

    settings: Settings
    store: LimitStore
    on_rejection: OnRejection
    _providers: Mapping[str, Provider] = field(init=False)
    _caller_levels: dict[tuple[str | None, str | None], Levels] = field(factory=dict, init=False)
    _provider_levels: dict[tuple[str, str | None], Levels] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        """Have the providers under the names that targets use."""
        self._providers = {canonical(name): provider for name, provider in self.settings.providers.items()}

    def caller_levels(self, caller: Caller, route: str | None) -> Levels:
        """The buckets of a caller on a route."""
        known = self._caller_levels.get((caller.name, route))
        if known is None:
            known = Levels((*caller_buckets(caller, self.settings), *route_buckets(route, self.settings)))
            self._caller_levels[caller.name, route] = known
        return known

    def provider_levels(self, provider: str, key: str | None) -> Levels:
        """The buckets of a provider and of one key of its pool."""
        known = self._provider_levels.get((provider, key))
        if known is None:
            rules = self._providers.get(provider, _UNLIMITED)
            pool_key = () if key is None else pool_key_buckets(provider, rules, key)
            known = self._provider_levels[provider, key] = Levels((*provider_buckets(provider, rules), *pool_key))
        return known

    def remaining_ratio(self, provider: str) -> float:
        """What is left of a provider's own limits, from 0 to 1, as far as is known without asking."""
        buckets = self.provider_levels(provider, None).buckets
        if not buckets:
            return 1.0
        standings = map(self.store.peek, buckets)
        return min(
            (each.remaining / each.bucket.limit for each in standings if each and each.bucket.limit), default=1.0
        )

    async def reserve(self, name: str, claims: Sequence[Claim], expires_ms: int) -> tuple[Verdict, Reservation]:
        """What the store says, and what is held if it has granted."""
        verdict = await self.store.reserve(name, claims, expires_ms)
        if isinstance(verdict, Refused):
            for standing in verdict.refusing:
                self.on_rejection(standing.bucket.scope, standing.bucket.kind)
        return verdict, Reservation(self.store, name, claims)


@define(eq=False)
class Allowance:
    """One request's. `name` is its id, `expires_ms` how long it can last at most."""

    limiter: Limiter
    name: str
    caller: Caller
    route: str | None
    expected: Expected
    expires_ms: int
    charges: Sequence[Charge] = ()
    standings: Sequence[Standing] = ()
    """Of the caller's buckets, as they are after the reservation."""
    _held: Reservation | None = field(default=None, init=False)
    _priced: bool = field(default=False, init=False)
    """A budget of the caller's applies."""
    _attempts: int = field(default=0, init=False)

    async def open(self, targets: Sequence[Target]) -> None:
        """Reserve at the caller's levels what an attempt at the first target may come to.

        Raises `RateLimitExceeded` or `BudgetExceeded`, `TokensOverLimit` where the prompt could never pass, and
        `PriceUnknown` where a budget applies and no target has a price.
        """
        levels = own = self.limiter.caller_levels(self.caller, self.route)
        charged = [(charge, Levels(charged_buckets(charge))) for charge in self.charges]
        for _, more in charged:
            levels += more
        if not levels.buckets:
            return
        self._priced = levels.priced
        demand = await self._demand(levels, next(filter(self._may_be_asked, targets), targets[0]))
        claims = own.claims(demand)
        if charged:
            for charge, more in charged:
                claims += more.claims(evolve(demand, requests=charge.requests))
            claims = _each_once(claims)
        verdict, held = await self.limiter.reserve(self.name, claims, self.expires_ms)
        self.standings = verdict.standings
        if isinstance(verdict, Refused):
            raise refusal(verdict)
        self._held = held

    async def enter(self, target: Target, key: str | None) -> Reservation | None:
        """Reserve at a provider's levels for one attempt; None: it has none. Raises `WireError`.

        `key` tells the key of the pool from the others; it is no secret.
        """
        levels = self.limiter.provider_levels(target.provider, key)
        try:
            if not self._may_be_asked(target):
                raise _price_unknown(target)
            if not levels.buckets:
                return None
            demand = await self._demand(levels, target)
        except InvalidRequest as error:
            raise WireError(Failure(FailureKind.UNSUPPORTED, error.message, code=error.code)) from None
        self._attempts += 1
        name = f"{self.name}/{self._attempts}"
        verdict, held = await self.limiter.reserve(name, levels.claims(demand), self.expires_ms)
        if isinstance(verdict, Refused):
            raise WireError(_over_limit(verdict))
        return held

    def settle(self, used: Demand) -> None:
        """The request is over."""
        if self._held is not None:
            self._held.settle(used)

    def _may_be_asked(self, target: Target) -> bool:
        """Under a budget only what has a price."""
        return not self._priced or self.expected.cost(target, 0, 0) is not None

    async def _demand(self, levels: Levels, target: Target) -> Demand:
        """What an attempt may come to; nothing is counted where no bucket asks. Raises `InvalidRequest`s."""
        scarcest = levels.scarcest_tokens
        if scarcest is None and not levels.priced:
            return Demand()
        prompt, answer = await self.expected.prompt_tokens(target), self.expected.answer_tokens
        if scarcest is not None and prompt > scarcest.limit:
            raise TokensOverLimit(f"the prompt has {prompt} tokens, and {limit_text(scarcest)}: it could never pass")
        if not levels.priced:
            return Demand(prompt + answer)
        cost = self.expected.cost(target, prompt, answer)
        if cost is None:
            raise _price_unknown(target)
        return Demand(prompt + answer, cost)


def _really(kind: Kind, claimed: int, used: Demand) -> int:
    if kind == "requests":
        return claimed if used.requests else 0
    return used.of(kind)


def _price_unknown(target: Target) -> PriceUnknown:
    return PriceUnknown(f"a budget applies, and the price of {target} is not known: [prices] can name it")


def _each_once(claims: Iterable[Claim]) -> list[Claim]:
    """What is claimed of one bucket at several places, together."""
    amounts = dict[Bucket, int]()
    for bucket, amount in claims:
        amounts[bucket] = amounts.get(bucket, 0) + amount
    return [Claim(bucket, min(amount, max(bucket.limit, 1))) for bucket, amount in amounts.items()]


def _over_limit(refused: Refused) -> Failure:
    """The provider's own limits first: another of its keys would not help."""
    longest = max(refused.refusing, key=lambda standing: (standing.bucket.scope == "provider", standing.wait_ms))
    kind = FailureKind.OVER_LIMIT if longest.bucket.scope == "provider" else FailureKind.KEY_OVER_LIMIT
    return Failure(kind, refusal_text(longest), retry_after_s=longest.wait_ms / 1000)
