from fnmatch import fnmatchcase
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.config.callers import Caller, Callers, key_digest
from clawgw.config.settings import Settings
from clawgw.config.tables.callers import Auth, Key
from clawgw.config.tables.limits import Budget, RateLimits

SECRET = "clawgw-alice-0123456789"
DIGEST = sha256(SECRET.encode()).hexdigest()
ALICE = Key("alice", DIGEST, models=("fast", "openai/*"), admin=True, labels={"team": "search"})


def callers(*keys: Key, required: bool | None = None) -> Callers:
    return Callers.of(Settings(auth=Auth(required), keys=keys))


def test_a_key_is_found_by_its_hash_however_that_is_written() -> None:
    upper = Key("alice", DIGEST.upper())
    assert callers(upper).find(SECRET) == Caller("alice")


def test_a_caller_is_what_its_key_says() -> None:
    key = Key("bob", DIGEST, ("m",), labels={"a": "b"}, limits=RateLimits(3), budget=Budget(1.0, "day"))
    assert callers(key).find(SECRET) == Caller(
        "bob", ("m",), labels={"a": "b"}, limits=RateLimits(3), budget=Budget(1.0, "day")
    )


@pytest.mark.parametrize("presented", ["", "none", SECRET[:-1], SECRET + "x", DIGEST, '{"$gt":""}', "\ud800"])
def test_anything_else_is_nobody_where_there_is_a_key(presented: str) -> None:
    assert callers(ALICE).find(presented) is None


def test_without_keys_everybody_comes_in_and_may_read_everything() -> None:
    assert callers().find("none") == Caller(admin=True)


def test_where_no_key_is_required_an_unknown_one_is_nobody_in_particular() -> None:
    them = callers(ALICE, required=False)
    assert (them.find(SECRET), them.find("none")) == (Caller.of(ALICE), Caller(admin=False))


def test_required_without_keys_lets_nobody_in() -> None:
    assert callers(required=True).find(SECRET) is None


@given(st.text(), st.text())
def test_one_key_never_opens_for_another(key: str, other: str) -> None:
    them = callers(Key("k", key_digest(key).hex()))
    assert them.find(key) == Caller("k")
    assert (them.find(other) is None) == (key != other)


def test_no_repr_shows_a_hash() -> None:
    assert DIGEST not in repr(callers(ALICE))


@pytest.mark.parametrize(
    ("model", "may"),
    [("fast", True), ("faster", False), ("openai/gpt-6-luna", True), ("openai", False), ("Fast", False), ("", False)],
)
def test_models_are_allowed_by_globs(model: str, may: bool) -> None:  # noqa: FBT001 - a parameter of the table
    assert Caller.of(ALICE).may_use(model) is may


NAMES = st.text("ab*?[]!-/.\\(|)$^\n", max_size=6)


@given(NAMES, st.lists(NAMES, max_size=4).map(tuple))
def test_any_globs_are_those_of_fnmatch(model: str, globs: tuple[str, ...]) -> None:
    assert Caller(models=globs).may_use(model) is any(fnmatchcase(model, glob) for glob in globs)
