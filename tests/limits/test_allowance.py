from collections.abc import Sequence
from typing import Any

import pytest
import trio
from attrs import define, evolve, field

from clawgw.config.callers import Caller
from clawgw.config.settings import Settings
from clawgw.config.tables.limits import Budget, RateLimits
from clawgw.config.tables.providers import Provider
from clawgw.config.tables.routes import Route
from clawgw.errors import BudgetExceeded, PriceUnknown, RateLimitExceeded, TokensOverLimit
from clawgw.limits.allowance import Allowance, Entry, Expected
from clawgw.limits.bucket import Bucket, Claims, Granted, Kind, Refused, Scope, Spent, Standing, Verdict, Wanted
from clawgw.limits.levels import Demand
from clawgw.limits.limiter import Limiter
from clawgw.policy import Charge, Target
from clawgw.wire.failure import Kind as FailureKind
from clawgw.wire.failure import WireError
from tests.limits.claims import one_by_one

A, B, C, D = Target("a", "m"), Target("b", "m"), Target("c", "m"), Target("c", "other")
LIMITS = RateLimits(requests_per_minute=10, tokens_per_minute=5_000, concurrent=2)
ALICE = Caller("alice", limits=LIMITS)
RICH = Caller("rich", limits=LIMITS, budget=Budget(1.0, "day"))
SETTINGS = Settings(
    providers={
        "a": Provider(limits=RateLimits(7), key_limits=RateLimits(3)),
        "gemini": Provider(limits=RateLimits(4)),
        "c": Provider(limits=RateLimits(tokens_per_minute=2_000)),
    },
    routes={"fast": Route(("a/m",), limits=RateLimits(100))},
)


@define
class Shelf:
    """A store that grants everything but what is used up, and keeps the books."""

    used_up: set[tuple[Scope, Kind]] = field(factory=set)
    reserved: dict[str, Claims] = field(factory=dict)
    settled: dict[str, Sequence[int]] = field(factory=dict)
    asked: list[Sequence[str]] = field(factory=list)

    async def reserve(self, wanted: Sequence[Wanted], expires_ms: int) -> Sequence[Verdict]:
        assert expires_ms == 1000
        self.asked.append([name for name, _ in wanted])
        verdicts = list[Verdict]()
        while len(verdicts) < len(wanted) and not any(isinstance(verdict, Refused) for verdict in verdicts):
            verdicts.append(self._decide(*wanted[len(verdicts)]))
        return verdicts

    def _decide(self, reservation: str, claims: Claims) -> Verdict:
        standings = [
            Standing(bucket, 0, 0, 2500 if (bucket.scope, bucket.kind) in self.used_up else 0)
            for bucket in claims.buckets
        ]
        if any(standing.wait_ms for standing in standings):
            return Refused(standings)
        self.reserved[reservation] = claims
        return Granted(standings)

    def settle(self, reservation: str, used: Sequence[int]) -> None:
        assert reservation not in self.settled
        self.settled[reservation] = used

    def flush(self) -> None: ...

    def peek(self, bucket: Bucket) -> None: ...

    def seed(self, bucket: Bucket, spent: Spent) -> None: ...

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None: ...

    @property
    def degraded(self) -> None: ...


@define
class Setting:
    shelf: Shelf = field(factory=Shelf)
    rejections: list[tuple[Scope, Kind]] = field(factory=list)
    counted: list[Target] = field(factory=list)
    prices: dict[Target, int] = field(factory=lambda: {A: 2, B: 3})
    prompt: int = 100

    def allowance(self, caller: Caller = ALICE, route: str | None = None, **more: Any) -> Allowance:
        expected = Expected(self._count, self._cost, more.pop("max_tokens", None), more.pop("answers", 1))
        return Allowance(self.limiter(), "req_1", caller, route, expected, 1000, **more)

    def limiter(self) -> Limiter:
        return Limiter(SETTINGS, self.shelf, lambda scope, kind: self.rejections.append((scope, kind)))

    async def _count(self, target: Target) -> int:
        self.counted.append(target)
        return self.prompt

    def _cost(self, target: Target, prompt: int, answer: int) -> int | None:
        price = self.prices.get(target)
        return None if price is None else price * (prompt + answer)

    def claimed(self, name: str = "req_1") -> list[tuple[str, str, int]]:
        return [
            (claim.bucket.scope, claim.bucket.kind, claim.amount) for claim in one_by_one(self.shelf.reserved[name])
        ]


async def test_a_caller_without_limits_touches_nothing() -> None:
    setting = Setting()
    allowance = setting.allowance(Caller("free"))
    await allowance.open([A])
    allowance.settle(Demand(tokens=5))
    assert (setting.shelf.reserved, setting.shelf.settled, setting.counted) == ({}, {}, [])


async def test_a_request_takes_of_every_level_at_once() -> None:
    setting = Setting()
    await setting.allowance(RICH, "fast", max_tokens=50, answers=2).open([A, B])
    assert setting.claimed() == [
        ("key", "requests", 1),
        ("key", "tokens", 200),
        ("key", "concurrent", 1),
        ("key", "usd", 400),
        ("route", "requests", 1),
    ]


async def test_an_answer_without_a_bound_is_taken_to_have_1024_tokens() -> None:
    setting = Setting()
    await setting.allowance().open([A])
    assert setting.claimed()[1] == ("key", "tokens", 1124)


async def test_where_nothing_depends_on_tokens_none_are_counted() -> None:
    setting = Setting()
    await setting.allowance(Caller("alice", limits=RateLimits(10))).open([A])
    assert (setting.claimed(), setting.counted) == ([("key", "requests", 1)], [])


async def test_a_prompt_is_counted_once_for_the_caller_and_the_first_attempt() -> None:
    setting = Setting()
    allowance = setting.allowance()
    await allowance.open([C, A], Entry(C, None))
    assert setting.counted == [C]
    assert setting.claimed() == [("key", "requests", 1), ("key", "tokens", 1124), ("key", "concurrent", 1)]
    assert setting.claimed("req_1/1") == [("provider", "tokens", 1124)]
    setting.prompt = 50
    await allowance.enter(D, None)
    assert setting.claimed("req_1/2") == [("provider", "tokens", 1074)]


async def test_it_is_settled_with_what_was_used() -> None:
    setting = Setting()
    allowance = setting.allowance(RICH)
    await allowance.open([A])
    allowance.settle(Demand(tokens=33, usd=9))
    assert setting.shelf.settled == {"req_1": [1, 33, 1, 9]}


async def test_nothing_sent_is_nothing_used() -> None:
    setting = Setting()
    allowance = setting.allowance(RICH)
    await allowance.open([A])
    allowance.settle(Demand(requests=0))
    assert setting.shelf.settled == {"req_1": [0, 0, 1, 0]}


async def test_a_refusal_is_told_and_counted() -> None:
    setting = Setting(Shelf({("key", "tokens")}))
    allowance = setting.allowance()
    with pytest.raises(RateLimitExceeded, match="5000 tokens per minute") as caught:
        await allowance.open([A])
    allowance.settle(Demand())
    assert (caught.value.retry_after_s, setting.rejections, setting.shelf.settled) == (2.5, [("key", "tokens")], {})


async def test_an_empty_budget_is_told_as_such() -> None:
    with pytest.raises(BudgetExceeded):
        await Setting(Shelf({("key", "usd")})).allowance(RICH).open([A])


async def test_something_is_wanted_of_a_budget_of_nothing() -> None:
    setting = Setting()
    await setting.allowance(Caller("poor", budget=Budget(0.0, "day"))).open([A])
    assert setting.claimed() == [("key", "usd", 1)]


async def test_a_prompt_that_could_never_pass_is_refused_at_once() -> None:
    with pytest.raises(TokensOverLimit, match="5001 tokens, and the limit of this key is 5000 tokens per minute"):
        await Setting(prompt=5001).allowance().open([A])


async def test_a_prompt_that_could_never_pass_is_told_the_smallest_limit() -> None:
    charges = [Charge("small", tokens_per_minute=50), Charge("large", tokens_per_minute=60)]
    with pytest.raises(TokensOverLimit, match="the limit of a quota is 50 tokens per minute"):
        await Setting().allowance(charges=charges).open([A])


async def test_a_prompt_that_just_fits_passes_and_takes_all() -> None:
    setting = Setting(prompt=5000)
    await setting.allowance().open([A])
    assert setting.claimed()[1] == ("key", "tokens", 5000)


async def test_under_a_budget_the_first_target_with_a_price_counts() -> None:
    setting = Setting(prices={B: 3})
    allowance = setting.allowance(RICH)
    await allowance.open([A, B])
    assert setting.claimed()[3] == ("key", "usd", 3 * 1124)
    with pytest.raises(WireError) as caught:
        await allowance.enter(A, None)
    assert (caught.value.failure.kind, caught.value.failure.code) == (FailureKind.UNSUPPORTED, "price_unknown")
    assert await allowance.enter(B, None) is None


async def test_under_a_budget_no_price_is_no_request() -> None:
    with pytest.raises(PriceUnknown, match="a/m is not known"):
        await Setting(prices={}).allowance(RICH).open([A, B])


async def test_without_a_budget_nobody_asks_for_the_price() -> None:
    setting = Setting(prices={})
    allowance = setting.allowance()
    await allowance.open([A])
    assert await allowance.enter(B, None) is None


async def test_every_attempt_takes_of_its_provider_and_of_the_key_it_uses() -> None:
    setting = Setting()
    allowance = setting.allowance()
    await allowance.open([A])
    first, second = await allowance.enter(A, "k1"), await allowance.enter(A, "k2")
    assert setting.claimed("req_1/1") == [("provider", "requests", 1), ("provider_key", "requests", 1)]
    assert first is not None
    assert second is not None
    first.settle(Demand(requests=0))
    second.settle(Demand(tokens=9))
    assert setting.shelf.settled == {"req_1/1": [0, 0], "req_1/2": [1, 1]}


async def test_a_provider_goes_by_its_one_name() -> None:
    setting = Setting()
    await setting.allowance().enter(Target("google", "m"), None)
    assert setting.claimed("req_1/1") == [("provider", "requests", 1)]


@pytest.mark.parametrize(
    ("used_up", "kind"),
    [
        ({("provider", "requests")}, FailureKind.OVER_LIMIT),
        ({("provider_key", "requests")}, FailureKind.KEY_OVER_LIMIT),
        ({("provider", "requests"), ("provider_key", "requests")}, FailureKind.OVER_LIMIT),
    ],
)
async def test_a_provider_over_its_limit_is_a_failure_that_sent_nothing(
    used_up: set[tuple[Scope, Kind]], kind: FailureKind
) -> None:
    setting = Setting(Shelf(used_up))
    with pytest.raises(WireError) as caught:
        await setting.allowance().enter(A, "k1")
    failure = caught.value.failure
    assert (failure.kind, failure.sent, failure.retry_after_s) == (kind, False, 2.5)
    assert setting.rejections == [
        bucket for bucket in [("provider", "requests"), ("provider_key", "requests")] if bucket in used_up
    ]


async def test_a_quota_is_charged_as_its_policy_says_and_one_bucket_once() -> None:
    setting = Setting()
    charges = [Charge("team", requests_per_minute=9, requests=5), Charge("team", requests_per_minute=9, requests=3)]
    await setting.allowance(Caller(), charges=charges).open([A])
    assert setting.claimed() == [("quota", "requests", 8)]


async def test_one_bucket_that_two_policies_name_is_charged_once_and_has_the_smaller_limit() -> None:
    """Their requests are added up, as each says how many there are; tokens, places and dollars are the same ones."""
    setting = Setting()
    charge = Charge("team", 7, 4_000, 9, budget_usd=1.0)
    charges = [evolve(charge, requests=3), evolve(charge, requests_per_minute=5, tokens_per_minute=3_000), charge]
    await setting.allowance(Caller(), charges=charges).open([A])
    claims = one_by_one(setting.shelf.reserved["req_1"])
    assert [(claim.bucket.kind, claim.bucket.limit, claim.amount) for claim in claims] == [
        ("requests", 5, 5),
        ("tokens", 3_000, 1_124),
        ("concurrent", 9, 1),
        ("usd", 10**9, 2 * 1_124),
    ]


async def test_a_quota_takes_no_more_than_it_can_hold() -> None:
    setting = Setting()
    await setting.allowance(Caller(), charges=[Charge("t", requests_per_minute=2, requests=5)]).open([A])
    assert setting.claimed() == [("quota", "requests", 2)]


async def test_the_first_attempts_levels_are_asked_for_together_with_the_callers() -> None:
    setting = Setting()
    allowance = setting.allowance(max_tokens=50)
    await allowance.open([A, B], Entry(A, "k1"))
    held = await allowance.enter(A, "k1")
    assert setting.shelf.asked == [["req_1", "req_1/1"]]
    assert setting.claimed("req_1/1") == [("provider", "requests", 1), ("provider_key", "requests", 1)]
    assert held is not None
    held.settle(Demand(tokens=9))
    assert setting.shelf.settled == {"req_1/1": [1, 1]}
    allowance.settle(Demand(tokens=9))
    assert setting.shelf.settled == {"req_1/1": [1, 1], "req_1": [1, 9, 1]}


async def test_what_was_asked_for_one_attempt_is_not_for_another() -> None:
    setting = Setting()
    allowance = setting.allowance()
    await allowance.open([A], Entry(A, "k1"))
    for key in ("k2", "k1", "k1"):
        await allowance.enter(A, key)
    assert setting.shelf.asked == [["req_1", "req_1/1"], ["req_1/2"], ["req_1/3"]]


async def test_an_attempt_that_never_begins_gives_back_what_was_asked_for_it() -> None:
    setting = Setting()
    allowance = setting.allowance()
    await allowance.open([A], Entry(A, None))
    allowance.settle(Demand(requests=0))
    assert setting.shelf.settled == {"req_1/1": [0], "req_1": [0, 0, 1]}


async def test_a_refusal_at_the_provider_alone_leaves_the_callers_reservation() -> None:
    setting = Setting(Shelf({("provider", "requests")}))
    allowance = setting.allowance()
    await allowance.open([A, B], Entry(A, "k1"))
    with pytest.raises(WireError) as caught:
        await allowance.enter(A, "k1")
    assert caught.value.failure.kind is FailureKind.OVER_LIMIT
    assert await allowance.enter(B, None) is None
    allowance.settle(Demand(tokens=9))
    assert (setting.rejections, setting.shelf.settled) == ([("provider", "requests")], {"req_1": [1, 9, 1]})
    assert len(setting.shelf.asked) == 1


async def test_an_early_refusal_at_a_provider_that_nobody_meets_is_forgotten() -> None:
    setting = Setting(Shelf({("provider", "requests")}))
    allowance = setting.allowance()
    await allowance.open([A], Entry(A, None))
    allowance.settle(Demand(requests=0))
    assert setting.shelf.settled == {"req_1": [0, 0, 1]}


async def test_where_the_caller_is_refused_nothing_is_taken_of_the_provider() -> None:
    setting = Setting(Shelf({("key", "requests")}))
    allowance = setting.allowance()
    with pytest.raises(RateLimitExceeded):
        await allowance.open([A], Entry(A, "k1"))
    allowance.settle(Demand(requests=0))
    assert (setting.shelf.reserved, setting.shelf.settled) == ({}, {})


async def test_a_caller_without_limits_leaves_the_asking_to_the_attempt() -> None:
    setting = Setting()
    allowance = setting.allowance(Caller("free"))
    await allowance.open([A], Entry(A, None))
    assert setting.shelf.asked == []
    await allowance.enter(A, None)
    assert setting.shelf.asked == [["req_1/1"]]


async def test_a_first_target_that_cannot_be_asked_is_left_to_its_attempt() -> None:
    setting = Setting(prices={B: 3})
    allowance = setting.allowance(RICH)
    await allowance.open([A, B], Entry(A, None))
    assert setting.shelf.asked == [["req_1"]]
    with pytest.raises(WireError, match="price"):
        await allowance.enter(A, None)


@pytest.mark.parametrize(
    ("caller", "route", "target", "limits"),
    [
        (Caller("free"), None, B, False),
        (ALICE, None, B, True),
        (Caller("free"), "fast", B, True),
        (Caller("free"), None, A, True),
        (Caller("free"), None, Target("google", "m"), True),
    ],
)
def test_whether_anything_limits_a_request(caller: Caller, route: str | None, target: Target, *, limits: bool) -> None:
    assert Setting().limiter().has_any(caller, route, [B, target]) is limits
