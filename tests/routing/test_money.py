"""Amounts are exact, and written with every digit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.routing.money import dollars, dollars_text, nano_dollars, pico_dollars, token_rate, usd_per_million


@pytest.mark.parametrize(
    ("usd", "pico"),
    [(0.0, 0), (1.0, 10**12), (0.1, 10**11), (1e-12, 1), (0.0246855, 24_685_500_000), (5e-13, 0), (1.5e-12, 2)],
)
def test_dollars_are_read_as_they_are_written(usd: float, pico: int) -> None:
    assert pico_dollars(usd) == pico


def test_dollars_are_shown_as_the_nearest_number_there_is() -> None:
    assert dollars(100_000_000_000) == 0.1


def test_a_rate_is_a_price_for_a_million_tokens() -> None:
    assert token_rate(0.3) == 300_000
    assert usd_per_million(300_000) == 0.3


@pytest.mark.parametrize(("pico", "nano"), [(0, 0), (1, 1), (1000, 1), (1001, 2), (-1500, -1)])
def test_nano_dollars_are_rounded_up(pico: int, nano: int) -> None:
    assert nano_dollars(pico) == nano


@pytest.mark.parametrize(
    ("pico", "text"),
    [
        (0, "0"),
        (1, "0.000000000001"),
        (768_000_000, "0.000768"),
        (10**12, "1"),
        (10 * 10**12, "10"),
        (12 * 10**12 + 5 * 10**11, "12.5"),
    ],
)
def test_an_amount_as_text_has_every_digit(pico: int, text: str) -> None:
    assert dollars_text(pico) == text


@given(st.integers(0, 10**15))
def test_an_amount_of_up_to_1000_dollars_survives_being_shown(pico: int) -> None:
    assert pico_dollars(dollars(pico)) == pico
