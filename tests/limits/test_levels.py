from typing import Any

from clawgw.config.callers import Caller
from clawgw.config.settings import Settings
from clawgw.config.tables.limits import Budget, LabelLimits, Limits, RateLimits
from clawgw.config.tables.providers import Provider
from clawgw.config.tables.routes import Route
from clawgw.config.values import Dollars, PerMinute, Places
from clawgw.limits.arithmetic import MAX_LIMIT
from clawgw.limits.bucket import NANO_DOLLARS, Bucket, Kind
from clawgw.limits.levels import (
    Demand,
    Levels,
    caller_buckets,
    charged_buckets,
    pool_key_buckets,
    provider_buckets,
    route_buckets,
)
from clawgw.policy import Charge
from tests.limits.claims import Claim, one_by_one

ALL = RateLimits(requests_per_minute=600, tokens_per_minute=200_000, concurrent=32)
SETTINGS = Settings(
    routes={
        "fast": Route(("echo/echo",), limits=RateLimits(100), budget=Budget(2.5, "month")),
        "free": Route(("e/e",)),
    },
    limits=Limits(labels={"team:search": LabelLimits(tokens_per_minute=1_000_000, budget=Budget(0.1, "hour"))}),
)


def test_a_key_has_a_bucket_for_each_limit_and_one_for_its_budget() -> None:
    caller = Caller("alice", limits=ALL, budget=Budget(5.0, "day"))
    assert list(caller_buckets(caller, SETTINGS)) == [
        Bucket("key", "alice", "requests", 600),
        Bucket("key", "alice", "tokens", 200_000),
        Bucket("key", "alice", "concurrent", 32),
        Bucket("key", "alice", "usd", 5_000_000_000, "day"),
    ]


def test_a_label_has_the_buckets_of_its_table_shared_by_all_who_have_it() -> None:
    caller = Caller("alice", labels={"team": "search", "floor": "2"})
    assert list(caller_buckets(caller, SETTINGS)) == [
        Bucket("label", "team:search", "tokens", 1_000_000),
        Bucket("label", "team:search", "usd", 100_000_000, "hour"),
    ]


def test_nobody_in_particular_has_none() -> None:
    assert not list(caller_buckets(Caller(), SETTINGS))


def test_a_route_has_those_of_its_table() -> None:
    assert list(route_buckets("fast", SETTINGS)) == [
        Bucket("route", "fast", "requests", 100),
        Bucket("route", "fast", "usd", 2_500_000_000, "month"),
    ]
    assert not list(route_buckets("free", SETTINGS))
    assert not list(route_buckets(None, SETTINGS))


def test_a_provider_has_its_own_and_each_key_of_its_pool_the_same_ones_apart() -> None:
    provider = Provider(limits=RateLimits(5), key_limits=RateLimits(concurrent=2), key_budget=Budget(1.0, "day"))
    assert list(provider_buckets("openai", provider)) == [Bucket("provider", "openai", "requests", 5)]
    assert list(pool_key_buckets("openai", provider, "1")) == [
        Bucket("provider_key", "openai/1", "concurrent", 2),
        Bucket("provider_key", "openai/1", "usd", 1_000_000_000, "day"),
    ]


def test_a_quota_policy_names_buckets_of_its_own() -> None:
    charge = Charge("user:42", requests_per_minute=10, budget_usd=0.5, per="hour")
    assert list(charged_buckets(charge)) == [
        Bucket("quota", "user:42", "requests", 10),
        Bucket("quota", "user:42", "usd", 500_000_000, "hour"),
    ]


def test_no_limit_is_larger_than_the_arithmetic_bears() -> None:
    charge = Charge("all", 10**14, 10**14, concurrent=10**14, budget_usd=1e14, per="hour")
    assert {bucket.kind: bucket.limit for bucket in charged_buckets(charge)} == MAX_LIMIT
    rules: dict[Kind, Any] = {"requests": PerMinute, "tokens": PerMinute, "concurrent": Places, "usd": Dollars}
    most = {kind: rule.__metadata__[0].most for kind, rule in rules.items()}
    assert most == MAX_LIMIT | {"usd": MAX_LIMIT["usd"] / NANO_DOLLARS}


def test_a_demand_claims_of_each_kind_what_it_may_come_to() -> None:
    caller = Caller("alice", limits=ALL, budget=Budget(5.0, "day"))
    claims = Levels(caller_buckets(caller, SETTINGS)).claims(Demand(tokens=1500, usd=70))
    assert claims.amounts == [1, 1500, 1, 70]


def test_never_more_than_a_bucket_can_hold() -> None:
    small = Bucket("key", "alice", "tokens", 1000)
    assert one_by_one(Levels([small]).claims(Demand(tokens=1500, usd=0))) == [Claim(small, 1000)]


def test_always_something_so_that_what_is_used_up_refuses() -> None:
    budget = Bucket("key", "alice", "usd", 0, "day")
    assert one_by_one(Levels([budget]).claims(Demand(tokens=1, usd=0))) == [Claim(budget, 1)]
