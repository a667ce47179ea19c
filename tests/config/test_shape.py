from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.config.settings import Settings
from clawgw.config.shape import shape
from clawgw.config.tables.providers import Price
from tests.config.shapes import MISTAKES

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates()
KEYS = st.one_of(
    st.sampled_from(["server", "bind", "workers", "defaults", "keys", "name", "sha256", "limits", "labels", "budget"]),
    st.sampled_from(["providers", "headers", "timeouts", "routes", "targets", "weights", "hedge_after", "options"]),
    st.sampled_from(["log", "mongo", "prices", "a/b", "usd"]),
)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


def lines(data: dict[str, Any]) -> list[str]:
    return [str(mistake) for mistake in shape(data).mistakes]


@pytest.mark.parametrize(("data", "line"), MISTAKES)
def test_each_mistake_is_told_with_its_place(data: dict[str, Any], line: str) -> None:
    assert lines(data) == [line]


def test_all_mistakes_are_told_at_once() -> None:
    data = {
        "server": {"workers": 0, "bnd": []},
        "keys": [{"name": "a", "sha256": "0" * 64, "budget": {"usd": "5"}}, {"name": "b"}],
        "routes": {"x": {"targets": ["a/b", 5, 6]}},
    }
    assert lines(data) == [
        "server.workers: must be at least 1",
        "server.bnd: unknown key, did you mean bind?",
        "keys[0].budget.usd: must be a number, not a string",
        "keys[0].budget.per: missing",
        "keys[1].sha256: missing",
        "routes.x.targets[1]: must be a string, not a whole number",
        "routes.x.targets[2]: must be a string, not a whole number",
    ]


def test_what_is_right_is_kept_beside_what_is_wrong() -> None:
    shaped = shape({"server": {"workers": 0, "drain_s": 5}, "prices": {"a/b": {"input": 1, "output": "2"}}})
    assert shaped.settings.server.drain_s == 5.0
    assert shaped.settings.server.workers == 1
    assert shaped.settings.prices == {}
    assert {"server.workers", 'prices."a/b"'} <= set(shaped.dropped)


def test_whole_numbers_do_as_numbers() -> None:
    price = shape({"prices": {"a/b": {"input": 1, "output": 2, "cached_input": 0}}}).settings.prices["a/b"]
    assert price == Price(input=1.0, output=2.0, cached_input=0.0)
    assert isinstance(price.input, float)


def test_an_empty_file_is_all_defaults() -> None:
    assert shape({}).settings == Settings()


def test_the_data_is_left_as_it_was() -> None:
    data: dict[str, Any] = {"server": {"workers": 0}, "routes": {"x": {"targets": [1]}}}
    shape(data)
    assert data == {"server": {"workers": 0}, "routes": {"x": {"targets": [1]}}}


@given(st.dictionaries(KEYS | st.text(max_size=3), DATA, max_size=5))
def test_any_data_gives_settings_and_mistakes(data: dict[str, Any]) -> None:
    shaped = shape(data)
    assert isinstance(shaped.settings, Settings)
    assert bool(shaped.mistakes) is bool(shaped.dropped)
