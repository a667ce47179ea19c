import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.web.identity import came_through, client_request_id, request_id

TIMES = st.floats(min_value=0, max_value=4_000_000_000)
RANDOM = st.binary(min_size=9, max_size=9)


def test_an_id_of_the_epoch_and_no_dice_is_all_zeros() -> None:
    assert request_id(0, bytes(9)) == "req_" + "0" * 26


def test_the_last_nine_bytes_are_the_dice() -> None:
    assert request_id(0, bytes(8) + b"\x01") == "req_" + "0" * 25 + "1"
    assert request_id(0, bytes(8) + b"\xff") == "req_" + "0" * 24 + "7z"  # 255 = 7 * 32 + 31


def test_the_time_stands_before_the_dice_in_microseconds() -> None:
    # One microsecond is bit 72, which is bit 2 of the fifteenth digit from the right.
    assert request_id(0.000001, bytes(9)) == "req_" + "0" * 11 + "4" + "0" * 14


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
    assert client_request_id([(b"x-request-id", value.encode())]) == value
    assert client_request_id([(b"x-client-request-id", value.encode())]) == value


@pytest.mark.parametrize("value", ["", "x" * 129, "a b", "a\n", "ä", "a/b", '"', "a\x00"])
def test_any_other_is_not(value: str) -> None:
    assert client_request_id([(b"x-request-id", value.encode("latin-1"))]) is None


def test_the_callers_own_header_wins_where_it_is_sane() -> None:
    assert client_request_id([(b"x-request-id", b"two"), (b"x-client-request-id", b"one")]) == "one"
    assert client_request_id([(b"x-client-request-id", b"no no"), (b"x-request-id", b"two")]) == "two"
    assert client_request_id([(b"x-other", b"three")]) is None


@pytest.mark.parametrize(
    "via",
    [["1.1 clawgw-i1"], ["1.1 clawgw"], ["1.0 fred, 1.1 clawgw-i1 (comment)"], ["1.1 a", "HTTP/1.1 CLAWGW-I1"]],
)
def test_a_hop_that_is_this_gateway_is_seen(via: list[str]) -> None:
    assert came_through(via, "i1")


@pytest.mark.parametrize("via", [[], [""], ["1.1 clawgw-i2"], ["1.1 proxy"], ["clawgw"], ["1.1 clawgw-i1x, ,"]])
def test_other_hops_are_not(via: list[str]) -> None:
    assert not came_through(via, "i1")
