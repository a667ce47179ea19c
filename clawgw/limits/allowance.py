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
_COUNTED: frozenset[Kind] = frozenset({"tokens", "usd"})


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
        self.store.settle(self.name, [self._used(claim, used) for claim in self.claims])

    def _used(self, claim: Claim, used: Demand) -> int:
        if claim.bucket.kind == "requests":
            return claim.amount if used.requests else 0
        return used.of(claim.bucket.kind)


@define(eq=False)
class Limiter:
    """The limits of one configuration, over a store that outlives it. `on_rejection` is told of every refusal."""

    settings: Settings
    store: LimitStore
    on_rejection: OnRejection
    _providers: Mapping[str, Provider] = field(init=False)
    _caller_levels: dict[tuple[str | None, str | None], Sequence[Bucket]] = field(factory=dict, init=False)
    _provider_levels: dict[tuple[str, str | None], Sequence[Bucket]] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        """Have the providers under the names that targets use."""
        self._providers = {canonical(name): provider for name, provider in self.settings.providers.items()}

    def caller_levels(self, caller: Caller, route: str | None) -> Sequence[Bucket]:
        """The buckets of a caller on a route."""
        known = self._caller_levels.get((caller.name, route))
        if known is None:
            known = (*caller_buckets(caller, self.settings), *route_buckets(route, self.settings))
            self._caller_levels[caller.name, route] = known
        return known

    def provider_levels(self, provider: str, key: str | None) -> Sequence[Bucket]:
        """The buckets of a provider and of one key of its pool."""
        known = self._provider_levels.get((provider, key))
        if known is None:
            rules = self._providers.get(provider, _UNLIMITED)
            pool_key = () if key is None else pool_key_buckets(provider, rules, key)
            known = self._provider_levels[provider, key] = (*provider_buckets(provider, rules), *pool_key)
        return known

    def remaining_ratio(self, provider: str) -> float:
        """What is left of a provider's own limits, from 0 to 1, as far as is known without asking."""
        standings = map(self.store.peek, self.provider_levels(provider, None))
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
        own = self.limiter.caller_levels(self.caller, self.route)
        charged = [(charge, tuple(charged_buckets(charge))) for charge in self.charges]
        buckets = [*own, *(bucket for _, more in charged for bucket in more)]
        if not buckets:
            return
        self._priced = any(bucket.kind == "usd" for bucket in buckets)
        demand = await self._demand(buckets, next(filter(self._may_be_asked, targets), targets[0]))
        claims = [
            *demand.claims(own),
            *(claim for charge, more in charged for claim in evolve(demand, requests=charge.requests).claims(more)),
        ]
        verdict, held = await self.limiter.reserve(self.name, _each_once(claims), self.expires_ms)
        self.standings = verdict.standings
        if isinstance(verdict, Refused):
            raise refusal(verdict)
        self._held = held

    async def enter(self, target: Target, key: str | None) -> Reservation | None:
        """Reserve at a provider's levels for one attempt; None: it has none. Raises `WireError`.

        `key` tells the key of the pool from the others; it is no secret.
        """
        buckets = self.limiter.provider_levels(target.provider, key)
        try:
            if not self._may_be_asked(target):
                raise _price_unknown(target)
            if not buckets:
                return None
            demand = await self._demand(buckets, target)
        except InvalidRequest as error:
            raise WireError(Failure(FailureKind.UNSUPPORTED, error.message, code=error.code)) from None
        self._attempts += 1
        name = f"{self.name}/{self._attempts}"
        verdict, held = await self.limiter.reserve(name, demand.claims(buckets), self.expires_ms)
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

    async def _demand(self, buckets: Sequence[Bucket], target: Target) -> Demand:
        """What an attempt may come to; nothing is counted where no bucket asks. Raises `InvalidRequest`s."""
        kinds = {bucket.kind for bucket in buckets}
        if not kinds & _COUNTED:
            return Demand()
        prompt, answer = await self.expected.prompt_tokens(target), self.expected.answer_tokens
        for bucket in buckets:
            if bucket.kind == "tokens" and prompt > bucket.limit:
                raise TokensOverLimit(f"the prompt has {prompt} tokens, and {limit_text(bucket)}: it could never pass")
        if "usd" not in kinds:
            return Demand(prompt + answer)
        cost = self.expected.cost(target, prompt, answer)
        if cost is None:
            raise _price_unknown(target)
        return Demand(prompt + answer, cost)


def _price_unknown(target: Target) -> PriceUnknown:
    return PriceUnknown(f"a budget applies, and the price of {target} is not known: [prices] can name it")


def _each_once(claims: Iterable[Claim]) -> Sequence[Claim]:
    """What is claimed of one bucket at several places, together."""
    amounts = dict[Bucket, int]()
    for claim in claims:
        amounts[claim.bucket] = amounts.get(claim.bucket, 0) + claim.amount
    return [Claim(bucket, min(amount, max(bucket.limit, 1))) for bucket, amount in amounts.items()]


def _over_limit(refused: Refused) -> Failure:
    """The provider's own limits first: another of its keys would not help."""
    longest = max(refused.refusing, key=lambda standing: (standing.bucket.scope == "provider", standing.wait_ms))
    kind = FailureKind.OVER_LIMIT if longest.bucket.scope == "provider" else FailureKind.KEY_OVER_LIMIT
    return Failure(kind, refusal_text(longest), retry_after_s=longest.wait_ms / 1000)
