import math
from typing import Literal

import pytest

from clawgw.config.tables import attempts
from clawgw.policy import Target, TargetView
from clawgw.routing.effects import EFFECTS, Effect
from clawgw.routing.health import MAX_MODELS, Health
from clawgw.routing.target_health import Admission
from clawgw.wire.failure import Failure, Kind

BASE = TargetView(Target("p", "m"), input_price=1.0, output_price=2.0, context_window=8000, remaining_ratio=0.5)
SERVER = Failure(Kind.SERVER, "overloaded", status=503)


def health(keys: int = 1) -> Health:
    return Health(attempts.Breaker(), keys, random=lambda: 0.5)


def admitted(health: Health, now: float, key: int | None = 0, *, streaming: bool = True) -> Admission:
    admission = health.admit("m", key, now, streaming=streaming)
    assert isinstance(admission, Admission)
    return admission


def view(health: Health, now: float, *, streaming: bool = True) -> TargetView:
    return health.view(BASE, now, streaming=streaming, remaining=lambda _provider, _now: 0.5)


def answer(health: Health, now: float, key: int | None = 0, *, seconds: float = 0.0, streaming: bool = True) -> None:
    admission = admitted(health, now - seconds, key, streaming=streaming)
    admission.answered(now)
    admission.end(now)


def wait(health: Health, now: float, kind: Kind) -> float:
    """The seconds that an attempt would have to wait because of `kind`."""
    refusal = health.admit("m", 0, now, streaming=True)
    assert isinstance(refusal, Failure)
    assert refusal.kind is kind
    assert not refusal.sent
    assert refusal.retry_after_s is not None
    return refusal.retry_after_s


def fail(health: Health, now: float, failure: Failure = SERVER, key: int | None = 0) -> None:
    admission = admitted(health, now, key)
    admission.failed(failure, now)
    admission.end(now)


def broken(now: float, keys: int = 1) -> Health:
    """The breaker of the first key is open."""
    result = health(keys)
    for _ in range(5):
        fail(result, now)
    return result


def test_every_kind_of_failure_has_an_effect() -> None:
    assert set(EFFECTS) == set(Kind)


@pytest.mark.parametrize("kind", [kind for kind in Kind if EFFECTS[kind] is Effect.FAULT])
def test_five_faults_open_the_breaker(kind: Kind) -> None:
    target = health()
    for _ in range(5):
        fail(target, 100.0, Failure(kind, ""))
    assert wait(target, 101.0, Kind.UNAVAILABLE) == 9.0
    assert view(target, 101.0).breaker == "open"
    assert view(target, 101.0).failure_ratio == 1.0


@pytest.mark.parametrize("kind", [kind for kind in Kind if EFFECTS[kind] is Effect.NONE])
def test_what_is_not_the_targets_fault_opens_nothing(kind: Kind) -> None:
    target = health()
    for _ in range(50):
        fail(target, 100.0, Failure(kind, ""))
    assert view(target, 100.0) == BASE


@pytest.mark.parametrize(
    ("kind", "effect"),
    [
        (Kind.SERVER, Effect.FAULT),
        (Kind.INVALID, Effect.FAULT),
        (Kind.RATE_LIMITED, Effect.COOL_DOWN),
        (Kind.BAD_REQUEST, Effect.NONE),
        (Kind.QUOTA, Effect.NONE),
    ],
)
def test_some_of_the_table(kind: Kind, effect: Effect) -> None:
    assert EFFECTS[kind] is effect


def test_a_429_cools_the_key_down_for_as_long_as_the_hint_says() -> None:
    target = health()
    fail(target, 100.0, Failure(Kind.RATE_LIMITED, "", status=429, retry_after_s=20.0))
    assert wait(target, 105.0, Kind.RATE_LIMITED) == 15.0
    assert view(target, 105.0).cooling_s == 15.0
    assert view(target, 105.0).breaker == "closed"
    assert view(target, 105.0).failure_ratio == 0.0
    admitted(target, 120.0)


def test_429s_without_a_hint_double_the_cool_down_until_one_is_answered() -> None:
    target = health()
    limited = Failure(Kind.RATE_LIMITED, "", status=429)
    fail(target, 100.0, limited)
    fail(target, 101.0, limited)
    assert view(target, 101.0).cooling_s == 2.0
    answer(target, 103.0)
    fail(target, 104.0, limited)
    assert view(target, 104.0).cooling_s == 1.0


def test_the_longer_of_cool_down_and_breaker_is_waited_for() -> None:
    target = health()
    attempts = [admitted(target, 100.0) for _ in range(6)]
    attempts[5].failed(Failure(Kind.RATE_LIMITED, "", retry_after_s=3.0), 100.0)
    for attempt in attempts[:5]:
        attempt.failed(SERVER, 100.0)
    assert wait(target, 101.0, Kind.UNAVAILABLE) == 9.0
    attempts[5].failed(Failure(Kind.RATE_LIMITED, "", retry_after_s=10.0), 100.0)
    assert wait(target, 101.0, Kind.RATE_LIMITED) == 9.0
    attempts[5].failed(Failure(Kind.RATE_LIMITED, "", retry_after_s=30.0), 100.0)
    assert wait(target, 101.0, Kind.RATE_LIMITED) == 29.0


def test_a_refusal_for_cooling_takes_no_probe() -> None:
    target = broken(100.0)
    fail(target, 110.0, Failure(Kind.RATE_LIMITED, "", retry_after_s=5.0))
    assert isinstance(target.admit("m", 0, 114.0, streaming=True), Failure)
    admitted(target, 115.0)


def test_a_probe_that_is_throttled_makes_room_for_another() -> None:
    target = broken(100.0)
    probe = admitted(target, 110.0)
    assert wait(target, 110.0, Kind.UNAVAILABLE) == 10.0
    probe.failed(Failure(Kind.RATE_LIMITED, "", retry_after_s=0.0), 111.0)
    assert view(target, 111.0).breaker == "half_open"
    admitted(target, 111.0)


def test_while_a_probe_is_out_a_half_open_breaker_looks_open() -> None:
    target = broken(100.0)
    assert (view(target, 110.0).breaker, view(target, 110.0).available) == ("half_open", True)
    probe = admitted(target, 110.0)
    assert (view(target, 111.0).breaker, view(target, 111.0).available) == ("open", False)
    probe.answered(112.0)
    assert (view(target, 112.0).breaker, view(target, 112.0).available) == ("half_open", True)


def test_a_cancelled_probe_makes_room_for_another() -> None:
    target = broken(100.0)
    admitted(target, 110.0).end(111.0)
    assert view(target, 111.0).breaker == "half_open"
    admitted(target, 111.0)


def test_a_probe_that_does_not_begin_after_all_makes_room_for_another() -> None:
    broken_one = broken(now=0.0)
    admitted(broken_one, 10.0).withdraw(10.5)
    assert view(broken_one, 10.5).in_flight == 0
    admitted(broken_one, 10.5)


def test_what_did_not_begin_says_nothing_of_how_fast_a_target_is() -> None:
    idle = health()
    admitted(idle, 0.0).withdraw(7.0)
    assert (view(idle, 7.0).peak_ewma_s, view(idle, 7.0).in_flight) == (None, 0)


def test_a_refusal_says_why_and_for_how_long() -> None:
    target = broken(100.0)
    assert target.admit("m", 0, 101.5, streaming=True) == Failure(
        Kind.UNAVAILABLE, "it keeps failing, and is tried again in 8.5 s", retry_after_s=8.5
    )
    fail(target, 110.0, Failure(Kind.RATE_LIMITED, "", retry_after_s=5.0))
    assert target.admit("m", 0, 112.5, streaming=True) == Failure(
        Kind.RATE_LIMITED, "it has asked to be left alone for another 2.5 s", retry_after_s=2.5, held_back=True
    )


def test_two_answers_close_the_breaker() -> None:
    target = broken(100.0)
    answer(target, 110.0)
    answer(target, 110.0)
    assert view(target, 110.0).breaker == "closed"
    assert view(target, 110.0).failure_ratio == 5 / 7


def test_a_probe_whose_stream_breaks_opens_the_breaker() -> None:
    target = broken(100.0)
    probe = admitted(target, 110.0)
    probe.answered(111.0)
    probe.failed(Failure(Kind.IDLE, "stalled"), 120.0)
    assert view(target, 120.0).breaker == "open"


@pytest.mark.parametrize("end", ["answered", "failed", "cancelled"])
def test_attempts_from_before_it_opened_say_nothing_to_a_half_open_breaker(
    end: Literal["answered", "failed", "cancelled"],
) -> None:
    target = health()
    late = [admitted(target, 99.0) for _ in range(3)]
    for _ in range(5):
        fail(target, 100.0)
    admitted(target, 110.0)
    for attempt in late:
        if end == "answered":
            attempt.answered(111.0)
        elif end == "failed":
            attempt.failed(SERVER, 111.0)
        attempt.end(111.0)
    assert target.breaker_states(111.0) == {"m": "half_open"}
    assert isinstance(target.admit("m", 0, 111.0, streaming=True), Failure)


def test_each_key_has_its_own_breaker_and_the_view_is_of_the_readiest() -> None:
    target = broken(100.0, keys=2)
    assert isinstance(target.admit("m", 0, 101.0, streaming=True), Failure)
    assert view(target, 101.0).breaker == "closed"
    fail(target, 101.0, Failure(Kind.RATE_LIMITED, "", retry_after_s=5.0), key=1)
    assert (view(target, 101.0).breaker, view(target, 101.0).cooling_s) == ("closed", 5.0)
    fail(target, 106.0, Failure(Kind.RATE_LIMITED, "", retry_after_s=5.0), key=1)
    assert (view(target, 107.0).breaker, view(target, 107.0).cooling_s) == ("open", 0.0)
    assert (view(target, 110.0).breaker, view(target, 110.0).cooling_s) == ("half_open", 0.0)
    assert (view(target, 111.0).breaker, view(target, 111.0).cooling_s) == ("closed", 0.0)


def test_a_provider_without_keys_has_one_breaker() -> None:
    target = health(keys=0)
    for _ in range(5):
        fail(target, 100.0, key=None)
    assert isinstance(target.admit("m", None, 100.0, streaming=True), Failure)


def test_the_breakers_of_the_models_that_were_asked() -> None:
    now, known = 0.0, broken(0.0)
    assert health().breaker_states(now) == {}
    assert known.breaker_states(now) == {"m": "open"}
    assert known.breaker_states(now + 1000) == {"m": "half_open"}


def test_each_model_is_for_itself() -> None:
    target = broken(100.0)
    assert isinstance(target.admit("other", 0, 100.0, streaming=True), Admission)


def test_what_does_not_change_is_kept_in_a_view() -> None:
    target = health()
    assert view(target, 100.0) is BASE
    answer(target, 101.0, seconds=0.25)
    assert view(target, 101.0) == TargetView(
        Target("p", "m"),
        peak_ewma_s=0.25,
        input_price=1.0,
        output_price=2.0,
        context_window=8000,
        remaining_ratio=0.5,
    )


def test_what_is_left_of_the_limits_is_asked_for() -> None:
    target, asked = health(), list[str]()

    def remaining(provider: str, _now: float) -> float:
        asked.append(provider)
        return 0.25

    seen = target.view(TargetView(Target("p", "m")), 100.0, streaming=True, remaining=remaining)
    assert (seen.remaining_ratio, asked) == (0.25, ["p"])


def test_a_view_is_made_once_for_a_tenth_of_a_second_in_which_nothing_happens() -> None:
    target = health()
    answer(target, 100.0, seconds=0.5)
    seen = view(target, 100.0)
    assert view(target, 100.05) is seen
    assert view(target, 100.11) is not seen
    assert view(target, 100.11, streaming=False) != view(target, 100.11)
    assert target.view(TargetView(Target("p", "m")), 100.11, streaming=True).context_window is None


def test_a_steady_view_minds_only_failures_for_a_tenth_of_a_second() -> None:
    target = health()

    def steady(now: float) -> TargetView:
        return target.view(BASE, now, streaming=True, steady=True)

    answer(target, 100.0, seconds=0.5)
    seen = steady(100.0)
    admission = admitted(target, 100.05)
    assert steady(100.05) is seen
    assert steady(100.11).in_flight == 1
    admission.failed(SERVER, 100.12)
    assert steady(100.12).failure_ratio == 0.5


def test_whatever_happens_is_seen_at_once() -> None:
    target = health()
    answer(target, 100.0, seconds=0.5)
    view(target, 100.0)
    admission = admitted(target, 100.0)
    assert view(target, 100.0).in_flight == 1
    admission.answered(100.0)
    assert view(target, 100.01).peak_ewma_s == pytest.approx(0.5 * math.exp(-0.001))
    admission.failed(SERVER, 100.01)
    assert view(target, 100.01).failure_ratio == 1 / 3
    admission.end(100.01)
    assert view(target, 100.01).in_flight == 0


def test_what_time_ends_is_not_seen_longer() -> None:
    target = broken(100.0)
    assert (view(target, 109.99).breaker, view(target, 110.0).breaker) == ("open", "half_open")
    fail(target, 110.0, Failure(Kind.RATE_LIMITED, "", retry_after_s=5.0))
    assert view(target, 114.99).cooling_s == pytest.approx(0.01)
    assert view(target, 115.0).cooling_s == 0.0


def test_streams_and_plain_answers_are_timed_apart() -> None:
    target = health()
    for hundredths in range(1, 101):
        answer(target, 100.0, seconds=hundredths / 100)
        answer(target, 100.0, seconds=hundredths / 4, streaming=False)
    stream, plain = view(target, 100.0), view(target, 100.0, streaming=False)
    assert (stream.p50_s, stream.p95_s, stream.p99_s) == pytest.approx((0.5, 0.95, 0.99))
    assert (plain.p50_s, plain.p95_s, plain.p99_s) == pytest.approx((12.5, 23.75, 24.75))
    assert stream.first_token is not None
    assert stream.first_token.at(0.9) == pytest.approx(0.9)
    assert (stream.peak_ewma_s, plain.peak_ewma_s) == pytest.approx((1.0, 25.0))


def test_what_99_of_100_answers_took_is_known_of_50_answers() -> None:
    target = health()
    assert target.p99_s("m", 100.0, streaming=True) is None
    for number in range(50):
        assert target.p99_s("m", 100.0, streaming=True) is None
        answer(target, 100.0, seconds=number + 1)
    assert target.p99_s("m", 100.0, streaming=True) == 50.0
    assert target.p99_s("m", 100.0, streaming=False) is None


def test_a_cancelled_attempt_was_at_least_as_slow_as_it_has_taken() -> None:
    target = health()
    admitted(target, 100.0).end(104.0)
    assert view(target, 104.0).peak_ewma_s == 4.0
    assert view(target, 104.0).failure_ratio == 0.0


def test_so_was_one_that_timed_out() -> None:
    target = health()
    admission = admitted(target, 100.0)
    admission.failed(Failure(Kind.TIMEOUT, ""), 160.0)
    admission.end(160.0)
    assert view(target, 160.0).peak_ewma_s == 60.0


def test_a_failure_in_no_time_is_not_fast() -> None:
    target = health()
    fail(target, 100.0)
    assert view(target, 100.0).peak_ewma_s is None


def test_a_stream_that_takes_too_long_after_its_first_token_is_not_a_slow_first_token() -> None:
    target = health()
    admission = admitted(target, 100.0)
    admission.answered(101.0)
    admission.failed(Failure(Kind.TIMEOUT, ""), 700.0)
    admission.end(700.0)
    assert view(target, 101.0).peak_ewma_s == 1.0


def test_an_attempt_is_in_flight_until_nothing_of_it_is_open() -> None:
    target = health()
    first, second = admitted(target, 100.0), admitted(target, 100.0)
    first.answered(101.0)
    assert view(target, 101.0).in_flight == 2
    first.end(102.0)
    second.failed(SERVER, 103.0)
    second.end(103.0)
    assert view(target, 103.0).in_flight == 0


def test_failures_are_a_share_of_the_last_30_seconds() -> None:
    target = health()
    fail(target, 100.0)
    for _ in range(3):
        answer(target, 110.0)
    assert view(target, 110.0).failure_ratio == 0.25
    assert view(target, 130.0).failure_ratio == 0.0
    assert view(target, 200.0).failure_ratio == 0.0


def made_up(target: Health, numbers: range) -> None:
    for number in numbers:
        admission = target.admit(f"made-up-{number}", 0, 101.0, streaming=True)
        assert isinstance(admission, Admission)
        admission.end(101.0)


def test_the_model_that_was_not_asked_for_the_longest_time_is_forgotten() -> None:
    target = broken(100.0)
    made_up(target, range(MAX_MODELS - 1))
    assert isinstance(target.admit("m", 0, 101.0, streaming=True), Failure)
    made_up(target, range(MAX_MODELS, 2 * MAX_MODELS - 1))
    assert view(target, 101.0).breaker == "open"
    made_up(target, range(2 * MAX_MODELS, 2 * MAX_MODELS + 1))
    assert view(target, 101.0) is BASE
    assert len(target._models) == MAX_MODELS


def test_a_model_with_something_under_way_is_not_forgotten() -> None:
    target = health()
    admitted(target, 100.0)
    made_up(target, range(2 * MAX_MODELS))
    assert view(target, 101.0).in_flight == 1


def test_where_all_models_have_something_under_way_there_is_one_more() -> None:
    target = health()
    for number in range(MAX_MODELS + 1):
        target.admit(f"busy-{number}", 0, 100.0, streaming=True)
    assert len(target._models) == MAX_MODELS + 1
