"""Each strategy on examples worked out by hand, and what holds for all of them whatever the views say."""

from collections import Counter
from collections.abc import Sequence
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.config.tables import routes
from clawgw.policy import After, AtOnce, OnFailure, Plan, Quantiles, RequestFacts, Target, TargetView
from clawgw.routing.plan import MOST_ATTEMPTS, plan_problem
from clawgw.routing.strategies import (
    STRATEGIES,
    StrategyOptions,
    cheapest,
    failover,
    fastest,
    hedge,
    race,
    weighted,
)
from clawgw.testing import facts, view

DEFAULT = StrategyOptions()


def taking(*seconds: float) -> Quantiles:
    """Of so many answers, from fast to slow."""
    return Quantiles(seconds, [number / len(seconds) for number in range(1, len(seconds) + 1)])


def names(plan: Plan) -> str:
    return " ".join(attempt.target.provider for attempt in plan.attempts)


def starts(plan: Plan) -> list[object]:
    return [attempt.start for attempt in plan.attempts]


def test_every_strategy_of_the_configuration_has_a_function() -> None:
    assert set(STRATEGIES) == set(get_args(routes.Strategy))


def test_failover_keeps_the_order_and_puts_unavailable_targets_last() -> None:
    targets = [view("a/m", breaker="open"), view("b/m"), view("c/m", cooling_s=12.0), view("d/m", breaker="half_open")]
    plan = failover(facts(), targets, DEFAULT)
    assert names(plan) == "b d a c"
    assert starts(plan) == [AtOnce(), OnFailure(), OnFailure(), OnFailure()]
    assert plan.reason == "in the configured order; not available now: a/m (breaker open), c/m (cools down for 12 s)"


@pytest.mark.parametrize(
    ("random", "order"),
    [
        (0.0, "a b c"),  # a has [0, 0.5), and 0.0 is its beginning; of b and c, b has [0, 0.6)
        (0.25, "a b c"),  # the middle of a's part: 0.5, which is b's
        (0.4, "a c b"),  # 0.8 of a's part, which is c's
        (0.5, "b a c"),  # b has [0.5, 0.8); 0.0 is a's
        (0.79, "b c a"),  # 0.967 of b's part; a has [0, 5/7)
        (0.8, "c a b"),
        (0.95, "c b a"),  # 0.75 of c's part; a has [0, 5/8)
    ],
)
def test_weighted_draws_the_first_and_the_following_from_one_number(random: float, order: str) -> None:
    targets = [view("a/m"), view("b/m"), view("c/m")]
    plan = weighted(facts(random=random), targets, StrategyOptions(weights=(5.0, 3.0, 2.0)))
    assert names(plan) == order


def test_weighted_shares_are_those_of_the_weights() -> None:
    targets = [view("a/m"), view("b/m"), view("c/m", breaker="open")]
    options = StrategyOptions(weights=(3.0, 1.0, 4.0))
    plans = [weighted(facts(random=(step + 0.5) / 1000), targets, options) for step in range(1000)]
    assert Counter(map(names, plans)) == {"a b c": 750, "b a c": 250}


def test_weighted_second_choices_have_the_shares_of_their_weights_too() -> None:
    targets = [view("a/m"), view("b/m"), view("c/m")]
    options = StrategyOptions(weights=(2.0, 1.0, 1.0))
    plans = [weighted(facts(random=(step + 0.5) / 4800), targets, options) for step in range(4800)]
    # a first: 1/2, then b or c evenly; b first: 1/4, then a 2/3, c 1/3; c likewise.
    assert Counter(map(names, plans)) == {
        "a b c": 1200,
        "a c b": 1200,
        "b a c": 800,
        "b c a": 400,
        "c a b": 800,
        "c b a": 400,
    }


def test_weighted_without_weights_is_even_and_weight_0_only_follows() -> None:
    targets = [view("a/m"), view("b/m")]
    assert names(weighted(facts(random=0.49), targets, DEFAULT)) == "a b"
    assert names(weighted(facts(random=0.5), targets, DEFAULT)) == "b a"
    plan = weighted(facts(random=0.0), targets, StrategyOptions(weights=(0.0, 1.0)))
    assert names(plan) == "b a"
    assert plan.reason == "drawn by weight: a/m 0, b/m 1"


def test_cheapest_counts_the_prompt_and_the_longest_answer() -> None:
    targets = [
        view("dear/m", input_price=10.0, output_price=30.0),
        view("free/m"),
        view("half/m", input_price=1.0),
        view("long/m", input_price=0.1, output_price=5.0),
        view("short/m", input_price=2.0, output_price=0.5),
    ]
    plan = cheapest(facts(estimated_tokens=1000, max_tokens=100), targets, DEFAULT)
    # long: 0.1 · 1000 + 5 · 100 = 600, short: 2 · 1000 + 0.5 · 100 = 2050 millionths of a dollar
    assert names(plan) == "long short dear free half"
    assert plan.reason.startswith("by price: long/m $0.000600, short/m $0.002050, dear/m $0.013000, free/m without a")
    # Without a limit the answer is taken to have 1024 tokens: 5220 against 2512.
    assert names(cheapest(facts(estimated_tokens=1000), targets, DEFAULT)) == "short long dear free half"


def test_cheapest_puts_unavailable_targets_after_those_without_a_price() -> None:
    targets = [view("a/m", input_price=0.0, output_price=0.0, cooling_s=1.0), view("b/m")]
    assert names(cheapest(facts(), targets, DEFAULT)) == "b a"


@pytest.mark.parametrize(
    ("random", "order"),
    [
        (0.1, "b c a"),  # a is drawn, then at 0.3 b: b is the faster; then the rest by load
        (0.3, "c b a"),  # a, then at 0.9 c: c is the faster, though b would be faster still
        (0.5, "b c a"),  # b, then at 0.5 c
        (0.99, "b c a"),  # c, then at 0.97 b
    ],
)
def test_fastest_compares_two_and_lets_the_others_follow_by_load(random: float, order: str) -> None:
    targets = [
        view("a/m", peak_ewma_s=1.0, in_flight=1),  # load 2.0
        view("b/m", peak_ewma_s=0.3, in_flight=3),  # 1.2
        view("c/m", peak_ewma_s=1.5, in_flight=0),  # 1.5
    ]
    assert names(fastest(facts(random=random), targets, DEFAULT)) == order


def test_fastest_tries_a_new_target_and_no_more_at_once_than_the_known_one_has() -> None:
    known = view("known/m", peak_ewma_s=0.2, in_flight=2)
    assert names(fastest(facts(), [known, view("new/m")], DEFAULT)) == "new known"
    assert names(fastest(facts(), [known, view("new/m", in_flight=2)], DEFAULT)) == "new known"
    assert names(fastest(facts(), [known, view("new/m", in_flight=3)], DEFAULT)) == "known new"


def test_fastest_does_not_take_a_target_that_only_fails_for_a_new_one() -> None:
    targets = [view("known/m", peak_ewma_s=9.0, in_flight=9), view("broken/m", failure_ratio=1.0)]
    plan = fastest(facts(), targets, DEFAULT)
    assert names(plan) == "known broken"
    assert plan.reason == "by load: known/m (9.00 s, 9 in flight) before broken/m (new, 0 in flight)"


def test_fastest_among_new_targets_takes_the_one_with_less_in_flight() -> None:
    targets = [view("a/m", in_flight=1), view("b/m", in_flight=0)]
    assert {names(fastest(facts(random=random), targets, DEFAULT)) for random in (0.0, 0.9)} == {"b a"}


def test_fastest_with_nothing_available_keeps_the_order() -> None:
    plan = fastest(facts(), [view("a/m", breaker="open"), view("b/m", cooling_s=1.0)], DEFAULT)
    assert names(plan) == "a b"
    assert plan.reason.startswith("by load: none to choose from; not available now: a/m (breaker open)")


@pytest.mark.parametrize(
    ("hedge_after", "seconds"),
    [
        (None, 9.5),
        ("p1", 0.5),
        ("p4", 0.5),
        ("p5", 0.5),
        ("p50", 5.0),
        ("p51", 5.1),
        ("p90", 9.0),
        ("p95", 9.5),
        ("p99", 9.9),
        (0.1, 0.1),
        (3, 3),
    ],
)
def test_hedge_waits_for_any_quantile_or_so_many_seconds(hedge_after: str | float | None, seconds: float) -> None:
    hundred = [number / 10 for number in range(1, 101)]
    targets = [view("a/m", first_token=taking(*hundred)), view("b/m", first_token=taking(0.1))]
    plan = hedge(facts(), targets, StrategyOptions(hedge_after=hedge_after, hedge_floor_s=0.5))
    assert starts(plan) == [AtOnce(), After(seconds)]


def test_hedge_waits_two_seconds_for_an_unknown_target_and_never_less_than_the_floor_for_a_known_one() -> None:
    targets = [view("a/m"), view("b/m", first_token=taking(0.2)), view("c/m")]
    assert starts(hedge(facts(), targets, DEFAULT)) == [AtOnce(), After(2.0), After(0.2)]
    plan = hedge(facts(), targets, StrategyOptions(hedge_floor_s=0.5))
    assert starts(plan) == [AtOnce(), After(2.0), After(0.5)]
    assert plan.reason == "b/m joins a/m after 2.00 s; c/m joins b/m after 0.50 s"


@pytest.mark.parametrize(
    ("current", "alternate", "objection"),
    [
        ({"failure_ratio": 0.11}, {}, "11% of the attempts at a/m have failed"),
        ({}, {"failure_ratio": 0.5}, "50% of the attempts at b/m have failed"),
        ({}, {"breaker": "half_open"}, "the breaker of b/m is half_open"),
        ({}, {"breaker": "open"}, "the breaker of b/m is open"),
        ({}, {"cooling_s": 3.0}, "b/m cools down"),
        ({}, {"remaining_ratio": 0.09}, "b/m has 9% of its limits left"),
    ],
)
def test_hedge_does_not_add_load_where_it_would_hurt(
    current: dict[str, object], alternate: dict[str, object], objection: str
) -> None:
    plan = hedge(facts(), [view("a/m", **current), view("b/m", **alternate)], DEFAULT)
    assert starts(plan) == [AtOnce(), OnFailure()]
    assert f"b/m waits until a/m fails or is silent: {objection}" in plan.reason


def test_hedge_at_the_thresholds_themselves_still_hedges() -> None:
    targets = [view("a/m", failure_ratio=0.10), view("b/m", remaining_ratio=0.10)]
    assert starts(hedge(facts(), targets, DEFAULT)) == [AtOnce(), After(2.0)]


def test_hedge_alone_and_with_the_first_unavailable() -> None:
    assert hedge(facts(), [view("a/m")], DEFAULT).reason == "one target, so nothing to hedge with"
    plan = hedge(facts(), [view("a/m", breaker="open"), view("b/m", first_token=taking(1.0)), view("c/m")], DEFAULT)
    assert (names(plan), starts(plan)) == ("b c a", [AtOnce(), After(1.0), OnFailure()])


def test_race_starts_as_many_available_targets_as_there_may_be_attempts() -> None:
    targets = [view("a/m"), view("b/m", breaker="open"), view("c/m"), view("d/m")]
    plan = race(facts(), targets, StrategyOptions(max_attempts=2))
    assert (names(plan), starts(plan)) == ("a c d b", [AtOnce(), AtOnce(), OnFailure(), OnFailure()])
    assert plan.reason == "2 at once; not available now: b/m (breaker open)"
    plan = race(facts(), targets, StrategyOptions(max_attempts=9))
    assert starts(plan) == [AtOnce(), AtOnce(), AtOnce(), OnFailure()]


seconds = st.none() | st.floats(0, 1e4)
ratios = st.floats(0, 1)
any_views = st.lists(
    st.builds(
        TargetView,
        target=st.builds(Target, st.sampled_from("abcd"), st.sampled_from("mn")),
        breaker=st.sampled_from(["closed", "open", "half_open"]),
        cooling_s=st.sampled_from([0.0, 0.0, 0.5, 3600.0]),
        in_flight=st.integers(0, 1000),
        p50_s=seconds,
        p95_s=seconds,
        p99_s=seconds,
        first_token=st.none() | st.lists(st.floats(0, 1e4), min_size=1).map(lambda some: taking(*sorted(some))),
        peak_ewma_s=seconds,
        failure_ratio=ratios,
        remaining_ratio=ratios,
        input_price=seconds,
        output_price=seconds,
        context_window=st.none(),
    ),
    min_size=1,
    max_size=8,
)
any_facts = st.builds(
    facts,
    estimated_tokens=st.integers(0, 2_000_000),
    max_tokens=st.none() | st.integers(1, 1_000_000),
    random=st.floats(0, 1, exclude_max=True),
)


@st.composite
def options_for(draw: st.DrawFn, count: int) -> StrategyOptions:
    weight = st.sampled_from([0.0, 5e-324, 1.0, 1e308]) | st.floats(0, 1e6)
    return StrategyOptions(
        weights=draw(st.none() | st.lists(weight, min_size=count, max_size=count).map(tuple)),
        hedge_after=draw(st.none() | st.integers(1, 99).map("p{}".format) | st.floats(0.001, 100)),
        hedge_floor_s=draw(st.floats(0, 10)),
        max_attempts=draw(st.integers(1, 10)),
    )


@pytest.mark.parametrize("name", sorted(STRATEGIES))
@given(request_facts=any_facts, views=any_views, data=st.data())
def test_any_strategy_plans_every_target_once_the_available_ones_first(
    name: routes.Strategy, request_facts: RequestFacts, views: Sequence[TargetView], data: st.DataObject
) -> None:
    plan = STRATEGIES[name](request_facts, views, data.draw(options_for(len(views))))
    assert plan_problem(plan, [known.target for known in views]) is None
    assert Counter(attempt.target for attempt in plan.attempts) == Counter(known.target for known in views)
    assert plan.attempts[0].start == AtOnce()
    assert plan.reason
    unavailable = [known.target for known in views if not known.available]
    assert [attempt.target for attempt in plan.attempts[len(views) - len(unavailable) :]] == unavailable
    assert len(views) <= MOST_ATTEMPTS


def test_a_target_without_a_key_is_named_as_such() -> None:
    views = [TargetView(Target("a", "m"), ready=False), TargetView(Target("b", "m"))]
    plan = STRATEGIES["failover"](RequestFacts("r"), views, StrategyOptions())
    assert plan.reason == "in the configured order; not available now: a/m (no key)"
