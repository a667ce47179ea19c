"""Prices by name and day, that the table's file is what the tool writes, and that it says what its source does."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from clawgw.config.known import KNOWN
from clawgw.config.tables.providers import Price as ConfiguredPrice
from clawgw.policy import Target
from clawgw.routing import prices as module
from clawgw.routing.prices import Price, PriceTable, Rates, bundled, configured_price, family_of, prices_of

FILE = Path(module.__file__).with_name("prices.json")


def day(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


NOV = day("2026-11-23")


def test_a_kind_without_a_rate_costs_what_it_is_a_part_of() -> None:
    assert Rates(input=5) == Rates(5, 0, 5, 5, 5, 5, 5, 0, 0, 0, 0, 0)
    assert Rates(input=5, output=9, cached=1, cache_write=7) == Rates(5, 9, 1, 7, 7, 5, 1, 9, 9, 9, 0, 0)


def test_a_configured_price_is_exact() -> None:
    price = configured_price(ConfiguredPrice(input=0.1, output=0.3, cached_input=0.07))
    assert price == Price(Rates(input=100_000, output=300_000, cached=70_000))
    assert configured_price(ConfiguredPrice(input=1.0, output=2.0)).base.cached == 1_000_000
    assert configured_price(ConfiguredPrice(input=1.0, output=2.0, cached_input=0.0)).base.cached == 0


TABLE = PriceTable(
    {
        "p": {
            "m": {
                "also": ["mm", "m*"],
                "standard": [{"input": 1}, {"from": "2026-03-01", "input": 2}, {"from": "2026-05-01", "input": 3}],
                "flex": [{"input": 1}, {"from": "2026-04-01", "input": 7}],
            },
            "single-2501": {
                "standard": [{"input": 4, "output": 5, "above": {"200": {"input": 8}, "100": {"input": 6}}}]
            },
        }
    }
)


def rate(model: str, at: str, service_tier: str = "") -> int | None:
    price = TABLE.price("p", model, day(at), service_tier)
    return None if price is None else price.base.input


@pytest.mark.parametrize(
    ("at", "standard", "flex"),
    [
        ("1969-12-31", 1, 1),
        ("2026-02-28T23:59:59", 1, 1),
        ("2026-03-01", 2, 1),
        ("2026-04-01", 2, 7),
        ("2026-05-01", 3, 7),
        ("2030-01-01", 3, 7),
    ],
)
def test_a_price_holds_from_its_day_on_in_utc(at: str, standard: int, flex: int) -> None:
    assert rate("m", at) == rate("m", at, "priority") == standard
    assert rate("m", at, "flex") == flex


@pytest.mark.parametrize("name", ["m", "mm", "m-latest", "m-2026-01-01"])
def test_a_model_is_found_by_its_names_and_as_a_snapshot_of_its_family(name: str) -> None:
    assert rate(name, "2026-01-01") == 1


@pytest.mark.parametrize("name", ["", "n", "mm-latest", "m:free", "ft:m:acme", "single", "single-2502"])
def test_what_is_not_known_has_no_price(name: str) -> None:
    assert rate(name, "2026-01-01") is None
    assert TABLE.price("q", name, NOV) is None


@pytest.mark.parametrize(("prompt", "expected"), [(0, 4), (100, 4), (101, 6), (200, 6), (201, 8)])
def test_the_highest_threshold_that_is_passed_holds(prompt: int, expected: int) -> None:
    price = TABLE.price("p", "single-2501", NOV)
    assert price is not None
    assert price.rates(prompt).input == expected


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("ft:gpt-4o-mini-2024-07-18:acme::a1b2", "ft:gpt-4o-mini"),
        ("qwen/qwen3-32b:free", "qwen/qwen3-32b:free"),
    ],
)
def test_families(model: str, family: str) -> None:
    assert family_of(model) == family


def test_the_configuration_s_price_comes_before_the_table_s() -> None:
    prices = prices_of({"openai/gpt-4.1": ConfiguredPrice(input=9.0, output=9.0)})
    own, listed = Target("openai", "gpt-4.1"), Target("openai", "gpt-4.1-mini")
    assert prices.configured(own) == prices.price(own, NOV) == Price(Rates(9_000_000, 9_000_000, 9_000_000))
    assert prices.configured(listed) is None
    found = prices.price(listed, NOV)
    assert found is not None
    assert (found.base.input, found.base.cached, found.base.output) == (400_000, 100_000, 1_600_000)


@pytest.mark.parametrize(
    ("target", "at", "rates"),
    [
        ("google/gemini-4-argon", "2026-11-30", Rates(2_000_000, 10_000_000, 200_000 // 2)),
        ("google/gemini-4-argon", "2026-12-01", Rates(4_000_000, 20_000_000, 200_000)),
        ("mistral/mistral-large-4", "2026-10-28", Rates(1_360_000, 4_180_000, 140_000)),
        ("mistral/mistral-large-4", "2026-10-29", Rates(700_000, 2_100_000, 70_000)),
        ("openai/gpt-6.2-astra", "2026-11-23", Rates(8_000_000, 40_000_000, 400_000, 10_000_000)),
        ("moonshot/kimi-k2.6", "2026-11-23", Rates(950_000, 4_000_000, 160_000)),
        ("openrouter/google/gemma-4-31b-it:free", "2026-11-23", Rates(0)),
        ("echo/echo", "2026-11-23", Rates(0)),
    ],
)
def test_prices_of_the_vendors_pages(target: str, at: str, rates: Rates) -> None:
    provider, model = target.split("/", 1)
    price = bundled().price(provider, model, day(at))
    assert price is not None
    found = price.base
    assert (found.input, found.output, found.cached, found.cache_write) == (
        rates.input,
        rates.output,
        rates.cached,
        rates.cache_write,
    )


def test_an_anthropic_price_has_both_cache_writes_and_fast_is_dearer() -> None:
    standard = bundled().price("anthropic", "claude-fable-5-2", NOV)
    fast = bundled().price("anthropic", "claude-fable-5-2", NOV, "fast")
    assert standard is not None
    assert fast is not None
    assert (standard.base.cache_write, standard.base.cache_write_1h) == (10_000_000, 16_000_000)
    assert (fast.base.input, fast.base.output) == (16_000_000, 80_000_000)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o-2031-01-01"),  # the snapshots of gpt-4o have different prices
        ("openai", "ft:gpt-4.1-mini-2025-04-14:acme::a1b2"),
        ("openai", "gpt-image-2"),
        ("mistral", "mistral-large-2611"),
        ("openrouter", "openrouter/auto"),
        ("openrouter", "openai/gpt-6-luna:nitro"),
        ("corp", "gpt-4o"),
    ],
)
def test_a_price_that_is_not_certain_is_none(provider: str, model: str) -> None:
    assert bundled().price(provider, model, NOV) is None


def test_every_known_provider_s_default_model_has_a_price() -> None:
    for name, known in KNOWN.items():
        assert bundled().price(name, known.default_model, NOV) is not None


def test_every_line_can_be_read_and_no_longer_prompt_is_cheaper() -> None:
    for provider in KNOWN:
        for model in bundled().models(provider):
            for tier in ("", "flex", "priority", "fast"):
                price = bundled().price(provider, model, NOV, tier)
                assert price is not None
                steps = [price.base, *(rates for _, rates in price.above)]
                assert sorted(rates.input for rates in steps) == [rates.input for rates in steps]
                assert sorted(rates.output for rates in steps) == [rates.output for rates in steps]


def test_the_file_is_what_the_tool_writes() -> None:
    pytest.importorskip("genai_prices")
    from tools.prices import render  # noqa: PLC0415  # imports the price table, which not every checkout has

    assert FILE.read_text(encoding="utf-8") == render()
    assert FILE.stat().st_size < 250_000
