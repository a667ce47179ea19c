from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from clawgw.policy import RequestFacts, TargetView
from clawgw.testing import facts, load_policy, view

route = load_policy(Path(__file__).parents[2] / "policies" / "sticky.py")

TARGETS = [view("a/m"), view("b/m"), view("c/m")]
USERS = [facts(user=f"user-{number}") for number in range(3000)]
NO_OPTIONS: Mapping[str, Any] = {}


def order(
    request: RequestFacts, targets: Sequence[TargetView] = TARGETS, options: Mapping[str, Any] = NO_OPTIONS
) -> list[str]:
    return [attempt.target.provider for attempt in route(request, targets, options).attempts]


def test_the_same_user_goes_the_same_way_whatever_else_is_asked_and_however_targets_are_listed() -> None:
    for user in USERS[:50]:
        again = facts("another-model", user=user.user, key="other", random=0.9, now=1e9)
        assert order(again, TARGETS[::-1]) == order(user)


def test_users_are_spread_evenly() -> None:
    shares = Counter(order(user)[0] for user in USERS)
    # 3000 draws of 1/3: a standard deviation is 26, so 150 off would be a fault of the hash.
    assert all(850 < share < 1150 for share in shares.values())
    assert len(shares) == 3


def test_an_unavailable_target_loses_its_users_to_their_second_choices_only() -> None:
    without_b = [TARGETS[0], view("b/m", breaker="open"), TARGETS[2]]
    for user in USERS[:300]:
        first, second, third = order(user)
        assert order(user, without_b) == [name for name in (first, second, third) if name != "b"] + ["b"]


def test_a_new_target_only_takes_and_moves_nobody_between_the_others() -> None:
    more = [*TARGETS, view("d/m")]
    moved = [(order(user)[0], order(user, more)[0]) for user in USERS]
    assert {after for before, after in moved if before != after} == {"d"}


@pytest.mark.parametrize(
    ("request_facts", "options", "who"),
    [
        (facts(user="ann", key="app"), {}, "user"),
        (facts(key="app"), {}, "key"),
        (facts(user="", key="app"), {}, "key"),
        (facts(user="ann", key="app"), {"by": ["key", "user"]}, "key"),
    ],
)
def test_who_counts_as_the_same(request_facts: RequestFacts, options: dict[str, Any], who: str) -> None:
    assert route(request_facts, TARGETS, options).reason == f"always the same for this {who}"


def test_the_order_hangs_on_the_name_alone() -> None:
    by_key = [order(facts(user=f"u{number}", key="app"), options={"by": ["key"]}) for number in range(20)]
    assert by_key == [order(facts(key="app"))] * 20


def test_nobody_goes_the_configured_way() -> None:
    resting = [view("a/m", cooling_s=1.0), *TARGETS[1:]]
    assert order(facts()) == ["a", "b", "c"]
    assert order(facts(), resting) == ["b", "c", "a"]
    assert order(facts(user="ann"), options={"by": []}) == ["a", "b", "c"]
