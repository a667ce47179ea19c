import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.web.identity import came_through, request_id, sane_id

TIMES = st.floats(min_value=0, max_value=4_000_000_000)
RANDOM = st.binary(min_size=14, max_size=14)


def test_an_id_of_the_epoch_and_no_dice_is_all_zeros() -> None:
    assert request_id(0, bytes(14)) == "req_" + "0" * 26


def test_each_of_the_last_digits_is_a_throw_of_the_dice() -> None:
    assert request_id(0, bytes(range(0, 28, 2))) == "req_" + "0" * 12 + "02468acegjmprt"
    assert request_id(0, bytes(13) + b"\x1f") == request_id(0, bytes(13) + b"\xff") == "req_" + "0" * 25 + "z"


def test_every_digit_is_as_likely() -> None:
    digits = [request_id(0, bytes([byte]) + bytes(13))[16] for byte in range(256)]
    assert {digits.count(digit) for digit in digits} == {8}


def test_the_time_stands_before_the_dice_in_microseconds() -> None:
    # One microsecond is bit 2 of the fifteenth digit from the right, 8 of them are bit 0 of the sixteenth.
    assert request_id(0.000001, bytes(14)) == "req_" + "0" * 11 + "4" + "0" * 14
    assert request_id(0.000009, bytes(14)) == "req_" + "0" * 10 + "14" + "0" * 14


@given(TIMES, RANDOM)
def test_the_shape(now: float, random: bytes) -> None:
    assert re.fullmatch(r"req_[0-9a-hjkmnp-tv-z]{26}", request_id(now, random))


@given(TIMES, TIMES, RANDOM, RANDOM)
def test_ids_sort_by_time(one: float, other: float, random: bytes, other_random: bytes) -> None:
    first, second = sorted([one, other])
    if int(first * 1_000_000) < int(second * 1_000_000):
        assert request_id(first, random) < request_id(second, other_random)


@pytest.mark.parametrize("value", ["a", "A.b_c-9", "x" * 128])
def test_a_sane_id_of_the_caller_is_kept(value: str) -> None:
    assert sane_id([value.encode()]) == value


@pytest.mark.parametrize("value", ["", "x" * 129, "a b", "a\n", "ä", "a/b", '"', "a\x00"])
def test_any_other_is_not(value: str) -> None:
    assert sane_id([value.encode("latin-1")]) is None


def test_the_first_sane_one_counts() -> None:
    assert sane_id([b"no no", b"one", b"two"]) == "one"
    assert sane_id([]) is None


@pytest.mark.parametrize(
    "via",
    [["1.1 clawgw-i1"], ["1.1 clawgw"], ["1.0 fred, 1.1 clawgw-i1 (comment)"], ["1.1 a", "HTTP/1.1 CLAWGW-I1"]],
)
def test_a_hop_that_is_this_gateway_is_seen(via: list[str]) -> None:
    assert came_through([value.encode() for value in via], "i1")


@pytest.mark.parametrize("via", [[], [""], ["1.1 clawgw-i2"], ["1.1 proxy"], ["clawgw"], ["1.1 clawgw-i1x, ,"]])
def test_other_hops_are_not(via: list[str]) -> None:
    assert not came_through([value.encode() for value in via], "i1")
