"""What quota policies may return. Plans have their tests with `routing.plan`."""

import math
from collections import UserList
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from clawgw.limits.arithmetic import MAX_LIMIT
from clawgw.limits.levels import charged_buckets
from clawgw.policies.returned import Rubbish, charges_of
from clawgw.policy import Charge

ONE = Charge("team:search", tokens_per_minute=5)


@frozen
class Richer(Charge):
    """A charge with more to it."""


class Endless(Sequence[Charge]):
    """A sequence without an end."""

    def __getitem__(self, index: Any) -> Any:
        return ONE

    def __len__(self) -> int:
        return 0


@pytest.mark.parametrize(
    "charge",
    [
        ONE,
        Charge("x"),
        Charge("x" * 1024),
        Charge("user:\ud800\n"),
        Charge("x", requests_per_minute=1, tokens_per_minute=10**10, concurrent=10**6, requests=10**10),
        Charge("x", budget_usd=0),
        Charge("x", budget_usd=4_000_000.0, per="hour"),
        Charge("x", budget_usd=1e-9, per="month"),
    ],
)
def test_a_charge_within_its_bounds_is_taken(charge: Charge) -> None:
    assert charges_of([charge]) == (charge,)


@pytest.mark.parametrize("returned", [[], (), UserList[Charge]()])
def test_nothing_may_be_charged(returned: object) -> None:
    assert charges_of(returned) == ()


def test_any_sequence_will_do_and_cannot_change_later() -> None:
    mine = UserList([ONE, ONE])
    taken = charges_of(mine)
    mine.clear()
    assert taken == (ONE, ONE)


@pytest.mark.parametrize(
    ("returned", "problem"),
    [
        (None, "returned NoneType, not a sequence of Charge"),
        (ONE, "returned Charge, not a sequence of Charge"),
        ({ONE}, "returned set, not a sequence of Charge"),
        ("team:search", "charges[0]: must be a Charge, not str"),
        ([ONE, ("team:search", 5)], "charges[1]: must be a Charge, not tuple"),
        ([Richer("x")], "charges[0]: must be a Charge, not Richer"),
        ([ONE] * 17, "returned more than 16 charges"),
        (Endless(), "returned more than 16 charges"),
    ],
)
def test_what_is_no_sequence_of_charges(returned: object, problem: str) -> None:
    assert charges_of(returned) == Rubbish(problem)


def test_sixteen_are_not_too_many() -> None:
    assert charges_of([ONE] * 16) == (ONE,) * 16


PER_MINUTE = "must be a whole number from 1 to 10000000000"


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("bucket", "", "must be a name of 1 to 1024 characters"),
        ("bucket", "x" * 1025, "must be a name of 1 to 1024 characters"),
        ("bucket", None, "must be a name of 1 to 1024 characters"),
        ("bucket", b"x", "must be a name of 1 to 1024 characters"),
        ("requests_per_minute", 0, f"{PER_MINUTE}, or None"),
        ("requests_per_minute", 10**10 + 1, f"{PER_MINUTE}, or None"),
        ("requests_per_minute", True, f"{PER_MINUTE}, or None"),
        ("tokens_per_minute", 5.0, f"{PER_MINUTE}, or None"),
        ("tokens_per_minute", "5", f"{PER_MINUTE}, or None"),
        ("concurrent", 10**6 + 1, "must be a whole number from 1 to 1000000, or None"),
        ("requests", 0, PER_MINUTE),
        ("requests", None, PER_MINUTE),
        ("budget_usd", -0.01, "must be a number from 0 to 4000000, or None"),
        ("budget_usd", math.nan, "must be a number from 0 to 4000000, or None"),
        ("budget_usd", math.inf, "must be a number from 0 to 4000000, or None"),
        ("budget_usd", 10**400, "must be a number from 0 to 4000000, or None"),
        ("budget_usd", Decimal(1), "must be a number from 0 to 4000000, or None"),
        ("budget_usd", False, "must be a number from 0 to 4000000, or None"),
        ("per", "minute", "must be one of hour, day, month"),
        ("per", [], "must be one of hour, day, month"),
    ],
)
def test_a_charge_out_of_its_bounds(field: str, value: Any, problem: str) -> None:
    assert charges_of([ONE, evolve(ONE, **{field: value})]) == Rubbish(f"charges[1].{field}: {problem}")


anything: st.SearchStrategy[object] = (
    st.none() | st.integers() | st.floats() | st.text(max_size=3) | st.booleans() | st.just([])
)
numbers = anything | st.integers(1, 100) | st.floats(0, 100)


@given(
    charge=st.builds(
        Charge,
        bucket=anything | st.text(min_size=1),
        requests_per_minute=numbers,
        tokens_per_minute=numbers,
        concurrent=numbers,
        budget_usd=numbers,
        per=anything | st.sampled_from(["hour", "day", "month"]),
        requests=numbers,
    )
)
def test_what_is_taken_makes_buckets_as_limits_need_them(charge: Any) -> None:
    taken = charges_of([charge])
    if not isinstance(taken, Rubbish):
        (known,) = taken
        for bucket in charged_buckets(known):
            assert isinstance(bucket.limit, int)
            assert 0 <= bucket.limit <= MAX_LIMIT[bucket.kind]
            assert bucket.limit or bucket.kind == "usd"
        assert known.requests >= 1
