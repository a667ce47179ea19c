"""What one request may use: reserved before anything is sent, settled when it is known what was really used.

The caller's levels (key, labels, route, quotas) are reserved once for a request; a provider's levels once for each
attempt, and a refusal there means the next target. The store is asked for the caller's and for those of the first
attempt in one step (decision 0020). Each reservation is settled once.
"""

from collections.abc import Awaitable, Callable, Sequence
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from attrs import define, field

from clawgw.config.callers import Caller
from clawgw.errors import BudgetExceeded, InvalidRequest, PriceUnknown, TokensOverLimit
from clawgw.fact import fact
from clawgw.limits.bucket import Bucket, Claims, Granted, Refused, Standing, Verdict, Wanted
from clawgw.limits.levels import Demand, Levels, charged_buckets
from clawgw.limits.limiter import Limiter, Reservation
from clawgw.limits.words import limit_text, refusal, refusal_text
from clawgw.policy import ANSWER_TOKENS, Charge, Target
from clawgw.wire.failure import Failure, WireError
from clawgw.wire.failure import Kind as FailureKind

SLACK_MS = 600_000
"""A stream may go on for so long after the deadline by which it has to begin."""
_NOTHING = Demand(requests=0)
_UNCOUNTED = Demand()


@fact
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


class Entry(NamedTuple):
    """An attempt: its target, and what tells its key from the others of the provider's pool; no secret."""

    target: Target
    key: str | None


class _Early(NamedTuple):
    """An entry that was asked for before its attempt began."""

    entry: Entry
    wanted: Wanted
    verdict: Verdict


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
    _early: _Early | None = field(default=None, init=False)
    _priced: bool = field(default=False, init=False)
    """A budget of the caller's applies."""
    _attempts: int = field(default=0, init=False)
    _counted: tuple[Target | None, int] = field(default=(None, 0), init=False)
    """A target, and how many tokens the prompt has there."""

    async def open(self, targets: Sequence[Target], first: Entry | None = None) -> None:
        """Reserve at the caller's levels what an attempt at the first target may come to.

        `first` is the attempt that will be made first, if it is known: what `enter` wants for it is asked for in the
        same step. Raises `RateLimitExceeded` or `BudgetExceeded`, `TokensOverLimit` where the prompt could never pass,
        and `PriceUnknown` where a budget applies and no target has a price.
        """
        claims = await self._callers_claims(targets)
        if claims is None:
            return
        wanted, entering = Wanted(self.name, claims), await self._wanted_early(first)
        verdict, *more = await self.limiter.reserve([wanted, entering] if entering else [wanted], self.expires_ms)
        self.standings = verdict.standings
        if isinstance(verdict, Refused):
            raise refusal(verdict)
        self._held = Reservation(self.limiter.store, wanted)
        if first is not None and entering is not None:
            self._early = _Early(first, entering, more[0])

    def has_to_enter(self, provider: str) -> bool:
        """Whether `enter` may come to anything else than None."""
        return self._priced or provider in self.limiter.limited

    async def enter(self, target: Target, key: str | None) -> Reservation | None:
        """Reserve at a provider's levels for one attempt; None: it has none. Raises `WireError`.

        `key` tells the key of the pool from the others; it is no secret.
        """
        entry, early = Entry(target, key), self._early
        if early is not None and early.entry == entry:
            self._early, (_, wanted, verdict) = None, early
        else:
            known = await self._wanted(entry)
            if known is None:
                return None
            wanted, [verdict] = known, await self.limiter.reserve([known], self.expires_ms)
        if isinstance(verdict, Refused):
            raise WireError(_over_limit(verdict))
        return Reservation(self.limiter.store, wanted)

    def settle(self, used: Demand) -> None:
        """The request is over."""
        if self._early is not None and isinstance(self._early.verdict, Granted):
            Reservation(self.limiter.store, self._early.wanted).settle(_NOTHING)
        if self._held is not None:
            self._held.settle(used)

    async def _callers_claims(self, targets: Sequence[Target]) -> Claims | None:
        """None: no bucket is asked."""
        own = self.limiter.caller_levels(self.caller, self.route)
        charged = [Levels(charged_buckets(charge)) for charge in self.charges]
        levels = sum(charged, own)
        if not levels.buckets:
            return None
        self._priced = levels.priced
        demand = await self._demand(levels, self._first_asked(targets))
        claims = own.claims(demand)
        if not charged:
            return claims
        more = [
            levels.claims(demand._replace(requests=charge.requests))
            for levels, charge in zip(charged, self.charges, strict=True)
        ]
        return _each_once(claims, *more)

    async def _wanted_early(self, first: Entry | None) -> Wanted | None:
        """What can be asked for together with the caller's."""
        try:
            return None if first is None else await self._wanted(first)
        except WireError:
            return None  # `enter` will raise it again

    async def _wanted(self, entry: Entry) -> Wanted | None:
        """What an attempt takes of its provider's levels. Raises `WireError`."""
        levels = self.limiter.provider_levels(entry.target.provider, entry.key)
        try:
            if not self._may_be_asked(entry.target):
                raise _price_unknown(entry.target)
            if not levels.buckets:
                return None
            demand = await self._demand(levels, entry.target)
        except InvalidRequest as error:
            raise WireError(Failure(FailureKind.UNSUPPORTED, error.message, code=error.code)) from None
        self._attempts += 1
        return Wanted(f"{self.name}/{self._attempts}", levels.claims(demand))

    def _first_asked(self, targets: Sequence[Target]) -> Target:
        return next(filter(self._may_be_asked, targets), targets[0]) if self._priced else targets[0]

    def _may_be_asked(self, target: Target) -> bool:
        """Under a budget only what has a price."""
        return not self._priced or self.expected.cost(target, 0, 0) is not None

    async def _demand(self, levels: Levels, target: Target) -> Demand:
        """What an attempt may come to; nothing is counted where no bucket asks. Raises `InvalidRequest`s."""
        scarcest = levels.scarcest_tokens
        if scarcest is None and not levels.priced:
            return _UNCOUNTED
        prompt, answer = await self._prompt_tokens(target), self.expected.answer_tokens
        if scarcest is not None and prompt > scarcest.limit:
            raise TokensOverLimit(f"the prompt has {prompt} tokens, and {limit_text(scarcest)}: it could never pass")
        if not levels.priced:
            return Demand(prompt + answer)
        cost = self.expected.cost(target, prompt, answer)
        if cost is None:
            raise _price_unknown(target)
        return Demand(prompt + answer, cost)

    async def _prompt_tokens(self, target: Target) -> int:
        """Mostly asked twice: for the caller's limits, and for those of the first attempt."""
        counted, tokens = self._counted
        if counted != target:
            tokens = await self.expected.prompt_tokens(target)
            self._counted = target, tokens
        return tokens


def _price_unknown(target: Target) -> PriceUnknown:
    return PriceUnknown(f"a budget applies, and the price of {target} is not known: [prices] can name it")


def _each_once(*claims: Claims) -> Claims:
    """What is claimed of one bucket at several places, together: with the smallest of its limits.

    Each place says how many requests there are; tokens, dollars and the request's own place are the same at all.
    """
    merged: dict[tuple[str, ...], tuple[Bucket, int]] = {}
    for bucket, amount in chain.from_iterable(zip(*each, strict=True) for each in claims):
        known, before = merged.get(bucket.identity, (bucket, 0))
        together = before + amount if bucket.kind == "requests" else max(before, amount)
        merged[bucket.identity] = min(known, bucket, key=attrgetter("limit")), together
    buckets = tuple(bucket for bucket, _ in merged.values())
    return Claims(buckets, [min(amount, max(bucket.limit, 1)) for bucket, amount in merged.values()])


def _over_limit(refused: Refused) -> Failure:
    """The provider's own limits first: another of its keys would not help."""
    longest = max(refused.refusing, key=lambda standing: (standing.bucket.scope == "provider", standing.wait_ms))
    kind = FailureKind.OVER_LIMIT if longest.bucket.scope == "provider" else FailureKind.KEY_OVER_LIMIT
    code = BudgetExceeded.code if longest.bucket.kind == "usd" else None
    return Failure(kind, refusal_text(longest), code=code, retry_after_s=longest.wait_ms / 1000)
