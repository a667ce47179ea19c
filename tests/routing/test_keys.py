from clawgw.routing.keys import ASIDE_S, KeyPool
from clawgw.wire.failure import Kind


def take(pool: KeyPool, now: float) -> int:
    key = pool.candidates(now)[0]
    pool.use(key)
    return key


def test_keys_are_used_in_turn() -> None:
    pool = KeyPool(3)
    assert [take(pool, 0.0) for _ in range(5)] == [0, 1, 2, 0, 1]


def test_a_key_that_cannot_be_used_is_followed_by_the_next() -> None:
    assert KeyPool(3).candidates(0.0) == [0, 1, 2]


def test_a_refused_key_rests_and_then_comes_back() -> None:
    pool = KeyPool(2)
    pool.set_aside(0, Kind.AUTH, now=10.0)
    assert [take(pool, 11.0) for _ in range(3)] == [1, 1, 1]
    assert pool.rests(0, 10.0 + ASIDE_S[Kind.AUTH] - 0.001)
    assert not pool.rests(0, 10.0 + ASIDE_S[Kind.AUTH])
    assert take(pool, 10.0 + ASIDE_S[Kind.AUTH]) == 0


def test_an_exhausted_quota_rests_at_least_as_long_as_the_provider_says() -> None:
    pool = KeyPool(2)
    pool.set_aside(1, Kind.QUOTA, now=0.0, hint_s=5000.0)
    assert pool.rests(1, 4999.0)
    assert not pool.rests(1, 5000.0)


def test_no_hint_makes_a_key_rest_for_more_than_a_day() -> None:
    pool = KeyPool(2)
    pool.set_aside(0, Kind.QUOTA, now=0.0, hint_s=1e12)
    assert pool.rests(0, 86_399.0)
    assert not pool.rests(0, 86_400.0)


def test_where_every_key_rests_the_one_that_wakes_first_is_asked() -> None:
    pool = KeyPool(2)
    pool.set_aside(0, Kind.QUOTA, now=0.0)
    pool.set_aside(1, Kind.AUTH, now=0.0)
    assert pool.candidates(1.0) == [1]
    assert pool.candidates(1.0, tried={1}) == []


def test_tried_keys_are_not_used_again() -> None:
    pool = KeyPool(2)
    assert pool.candidates(0.0, tried={0}) == [1]
    assert pool.candidates(0.0, tried={0, 1}) == []


def test_a_key_that_answers_is_restored() -> None:
    pool = KeyPool(2)
    pool.set_aside(0, Kind.AUTH, now=0.0)
    pool.restore(0)
    assert not pool.rests(0, 1.0)


def test_a_key_that_was_not_used_after_all_has_its_turn_again() -> None:
    pool = KeyPool(3)
    assert take(pool, 0.0) == 0
    pool.give_back(0)
    assert [take(pool, 0.0) for _ in range(2)] == [0, 1]
    pool.give_back(0)
    assert take(pool, 0.0) == 2
    pool.give_back(2)
    assert take(pool, 0.0) == 2
