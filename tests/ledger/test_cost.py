"""The arithmetic, on counts that can be reckoned in the head, and what must hold for any counts."""

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from clawgw.config.tables.providers import Price as ConfiguredPrice
from clawgw.ledger.cost import bill, cost, upper_bound_cost
from clawgw.policy import Target
from clawgw.routing.prices import Price, Prices, PriceTable, Rates, bundled, prices_of
from clawgw.wire.usage import Particulars, Usage

RATES = Rates(
    input=100,
    output=1000,
    cached=10,
    cache_write=125,
    cache_write_1h=200,
    audio_input=300,
    audio_cached=30,
    reasoning=2000,
    audio_output=5000,
    image_output=7000,
    audio_hour=3_600_000,
    web_search=1_000_000,
)
PRICE = Price(RATES)
NOV = 1_795_392_000.0  # 2026-11-23


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage(0, 0), 0),
        (Usage(7, 3), 7 * 100 + 3 * 1000),
        (Usage(7, 3, cached=4), 3 * 100 + 4 * 10 + 3 * 1000),
        (Usage(7, 3, cache_write=4), 3 * 100 + 4 * 125 + 3 * 1000),
        (Usage(7, 3, cached=2, cache_write=4), 1 * 100 + 2 * 10 + 4 * 125 + 3 * 1000),
        (Usage(7, 0, cache_write=4, particulars=Particulars(cache_write_1h=3)), 3 * 100 + 1 * 125 + 3 * 200),
        (Usage(7, 3, reasoning=2), 7 * 100 + 1 * 1000 + 2 * 2000),
        (Usage(7, 0, particulars=Particulars(audio_prompt=5)), 2 * 100 + 5 * 300),
        (Usage(7, 0, cached=4, particulars=Particulars(audio_prompt=5, audio_cached=3)), 100 + 10 + 3 * 30 + 2 * 300),
        (Usage(0, 9, reasoning=2, particulars=Particulars(audio_completion=3)), 4 * 1000 + 2 * 2000 + 3 * 5000),
        (Usage(0, 9, particulars=Particulars(image_completion=4)), 5 * 1000 + 4 * 7000),
        (Usage(0, 0, particulars=Particulars(web_searches=2)), 2 * 1_000_000),
        (Usage(0, 0, particulars=Particulars(audio_seconds=4)), 4 * 1000),
        (Usage(5, 0, cached=9), 5 * 10),
        (Usage(5, 0, cached=3, cache_write=9), 3 * 10 + 2 * 125),
        (Usage(0, 5, reasoning=9), 5 * 2000),
    ],
)
def test_every_token_is_billed_once_at_the_rate_of_its_kind(usage: Usage, expected: int) -> None:
    assert cost(usage, PRICE) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [(100, 100 * 1 + 10 * 2), (101, 101 * 3 + 10 * 4), (200, 200 * 3 + 10 * 4), (201, 201 * 5 + 10 * 6)],
)
def test_a_prompt_over_a_threshold_changes_the_rates_of_all_tokens(prompt: int, expected: int) -> None:
    price = Price(Rates(input=1, output=2), [(100, Rates(input=3, output=4)), (200, Rates(input=5, output=6))])
    assert cost(Usage(prompt, 10), price) == expected


LONG = [
    # The price of a long prompt, by the vendors' pages as genai-prices 0.2.3 has them.
    ("anthropic/claude-haiku-5-5", Usage(100_000, 10), 100_000 * 100_000 + 10 * 500_000),
    ("anthropic/claude-haiku-5-5", Usage(100_001, 10), 100_001 * 500_000 + 10 * 2_500_000),
    ("openai/gpt-6-luna", Usage(272_000, 0), 272_000 * 100_000),
    ("openai/gpt-6-luna", Usage(272_001, 2, cached=272_000), 200_000 + 272_000 * 20_000 + 2 * 750_000),
    ("google/gemini-2.5-pro", Usage(200_001, 1), 200_001 * 2_500_000 + 15_000_000),
]


@pytest.mark.parametrize(("target", "usage", "expected"), LONG)
def test_long_prompts_at_today_s_prices(target: str, usage: Usage, expected: int) -> None:
    assert bill(usage, Target(*target.split("/", 1)), prices_of({}), NOV) == expected


def prices(**configured: Price) -> Prices:
    table = PriceTable({"p": {"m": {"standard": [{"input": 5}], "flex": [{"input": 2}]}}})
    return Prices({f"p/{model}": price for model, price in configured.items()}, table)


M = Target("p", "m")


@pytest.mark.parametrize(
    ("usage", "known", "expected"),
    [
        (Usage(3, 0), prices(), 15),
        (Usage(3, 0, particulars=Particulars(service_tier="flex")), prices(), 6),
        (Usage(3, 0, particulars=Particulars(service_tier="priority")), prices(), 15),
        (Usage(3, 0, particulars=Particulars(cost_usd=0.000001)), prices(), 1_000_000),
        (Usage(3, 0, particulars=Particulars(cost_usd=0.0)), prices(), 0),
        (Usage(3, 0, particulars=Particulars(cost_usd=0.000001)), prices(m=PRICE), 300),
        (Usage(3, 0), prices(m=Price(Rates(input=0))), 0),
    ],
)
def test_the_configuration_comes_before_the_reported_cost_and_that_before_the_table(
    usage: Usage, known: Prices, expected: int
) -> None:
    assert bill(usage, M, known, NOV) == expected


def test_a_model_that_nobody_knows_has_no_cost_and_not_one_of_nothing() -> None:
    assert bill(Usage(3, 1), Target("p", "unheard-of"), prices(), NOV) is None
    assert bill(Usage(3, 1, particulars=Particulars(cost_usd=0.5)), Target("p", "x"), prices(), NOV) == 5 * 10**11


def test_a_price_of_one_s_own_is_taken_as_it_is_written() -> None:
    known = prices_of({"corp/m": ConfiguredPrice(input=0.1, output=0.3, cached_input=0.07)})
    assert bill(Usage(10, 3, cached=4), Target("corp", "m"), known, NOV) == 6 * 100_000 + 4 * 70_000 + 3 * 300_000


def test_the_upper_bound() -> None:
    assert upper_bound_cost(7, 3, PRICE) == 7 * 300 + 3 * 7000
    long = Price(Rates(input=1, output=1), [(5, Rates(input=2, output=3, cache_write_1h=4))])
    assert upper_bound_cost(5, 1, long) == 5 + 1
    assert upper_bound_cost(6, 1, long) == 6 * 4 + 3


count = st.integers(0, 10**7)
particulars = st.builds(
    Particulars,
    cache_write_1h=count,
    audio_prompt=count,
    audio_cached=count,
    audio_completion=count,
    image_completion=count,
    audio_seconds=count,
    web_searches=count,
)
usages = st.builds(
    Usage, count, count, cached=count, cache_write=count, reasoning=count, body=st.just({}), particulars=particulars
)
rates = st.builds(Rates, *[st.integers(0, 10**8)] * 12)
LISTED = [
    price
    for provider in ("openai", "anthropic", "google", "mistral", "groq", "moonshot", "openrouter")
    for model in bundled().models(provider)
    if (price := bundled().price(provider, model, NOV))
]
listed = st.sampled_from(LISTED)


@given(usages, listed | st.builds(Price, rates))
def test_a_cost_is_a_whole_number_and_never_negative(usage: Usage, price: Price) -> None:
    found = cost(usage, price)
    assert type(found) is int
    assert found >= 0


@given(usages, listed, st.integers(1, 10**6), st.sampled_from(["prompt", "completion"]))
def test_more_tokens_never_cost_less(usage: Usage, price: Price, more: int, which: str) -> None:
    larger: dict[str, Any] = {which: getattr(usage, which) + more}
    assert cost(evolve(usage, **larger), price) >= cost(usage, price)


@given(count, count, st.integers(1, 10**6), listed)
def test_what_is_cached_never_costs_more_than_what_is_not(prompt: int, cached: int, more: int, price: Price) -> None:
    plain = Usage(prompt, 0, cached=cached)
    if price.rates(prompt).cached <= price.rates(prompt).input:
        assert cost(evolve(plain, cached=cached + more), price) <= cost(plain, price) <= cost(Usage(prompt, 0), price)


@given(count, count, count, count, st.builds(Price, rates))
def test_two_requests_cost_what_their_sum_does(a: int, b: int, c: int, d: int, price: Price) -> None:
    first, second = Usage(a + b, c, cached=a, reasoning=min(c, b)), Usage(c + d, a, cached=d, reasoning=min(a, c))
    both = Usage(
        first.prompt + second.prompt,
        first.completion + second.completion,
        cached=first.cached + second.cached,
        reasoning=first.reasoning + second.reasoning,
    )
    assert cost(first, price) + cost(second, price) == cost(both, price)


@given(usages, count, count, listed | st.builds(Price, rates))
def test_no_answer_costs_more_than_the_upper_bound(usage: Usage, prompt: int, answer: int, price: Price) -> None:
    apart = evolve(usage.particulars, web_searches=0, audio_seconds=0)
    within = evolve(usage, prompt=prompt, completion=answer % 1000, particulars=apart)
    assert cost(within, price) <= upper_bound_cost(prompt, 1000, price)
