import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from clawgw.config.tables import attempts
from clawgw.routing.breaker import Breaker

EXACT = 0.5
"""The random number that scatters an open period by nothing."""


def opened(now: float, random: float = EXACT) -> Breaker:
    breaker = Breaker(attempts.Breaker())
    for _ in range(5):
        breaker.failed(now, random)
    return breaker


def half_open() -> Breaker:
    """Since 110."""
    return opened(100.0)


def test_everything_passes_a_closed_breaker() -> None:
    breaker = Breaker(attempts.Breaker())
    assert breaker.state(0.0) == "closed"
    assert all(breaker.admit(0.0) for _ in range(100))
    assert breaker.reopens_in(0.0) == 0.0
    assert breaker.failure_ratio(0.0) == 0.0


def test_the_fifth_failure_in_a_row_opens_it() -> None:
    breaker = Breaker(attempts.Breaker())
    for _ in range(4):
        breaker.failed(100.0, EXACT)
    assert breaker.state(100.0) == "closed"
    breaker.failed(100.0, EXACT)
    assert breaker.state(100.0) == "open"
    assert not breaker.admit(100.0)


def test_failures_in_a_row_may_take_their_time() -> None:
    breaker = Breaker(attempts.Breaker())
    for hour in range(5):
        breaker.failed(hour * 3600.0, EXACT)
    assert breaker.state(4 * 3600.0) == "open"


def test_a_success_ends_the_row_and_a_neutral_outcome_does_not() -> None:
    breaker = Breaker(attempts.Breaker())
    for _ in range(4):
        breaker.failed(100.0, EXACT)
    breaker.succeeded(100.0)
    for _ in range(4):
        breaker.failed(100.0, EXACT)
    breaker.neutral(100.0)
    assert breaker.state(100.0) == "closed"
    breaker.failed(100.0, EXACT)
    assert breaker.state(100.0) == "open"


def test_half_of_twenty_outcomes_opens_it() -> None:
    breaker = Breaker(attempts.Breaker())
    for _ in range(9):
        breaker.succeeded(100.0)
        breaker.failed(100.0, EXACT)
    breaker.succeeded(100.0)
    assert breaker.state(100.0) == "closed"  # 9 of 19
    breaker.failed(100.0, EXACT)
    assert breaker.state(100.0) == "open"
    assert breaker.failure_ratio(100.0) == 0.5


def test_less_than_half_of_twenty_does_not() -> None:
    breaker = Breaker(attempts.Breaker())
    for _ in range(9):
        breaker.succeeded(100.0)
        breaker.failed(100.0, EXACT)
    breaker.succeeded(100.0)
    breaker.succeeded(100.0)
    breaker.failed(100.0, EXACT)  # 10 of 21
    assert breaker.state(100.0) == "closed"
    assert breaker.failure_ratio(100.0) == 10 / 21


def test_neutral_outcomes_are_not_among_the_twenty() -> None:
    breaker = Breaker(attempts.Breaker())
    for _ in range(9):
        breaker.succeeded(100.0)
        breaker.neutral(100.0)
        breaker.failed(100.0, EXACT)
    assert breaker.state(100.0) == "closed"
    assert breaker.failure_ratio(100.0) == 0.5


def test_what_is_older_than_the_window_is_not_among_the_twenty() -> None:
    breaker = Breaker(attempts.Breaker())
    for _ in range(9):
        breaker.succeeded(100.0)
        breaker.failed(100.0, EXACT)
    breaker.succeeded(129.0)
    assert breaker.failure_ratio(129.0) == 0.0
    breaker.failed(129.0, EXACT)
    assert breaker.state(129.0) == "closed"


@pytest.mark.parametrize(("random", "seconds"), [(0.0, 8.0), (0.25, 9.0), (0.5, 10.0), (0.999, 11.996)])
def test_it_stays_open_for_ten_seconds_give_or_take_a_fifth(random: float, seconds: float) -> None:
    breaker = opened(0.0, random)
    assert breaker.reopens_in(0.0) == pytest.approx(seconds)
    assert breaker.reopens_in(2.0) == pytest.approx(seconds - 2.0)
    assert breaker.state(seconds - 0.001) == "open"
    assert not breaker.admit(seconds - 0.001)
    assert breaker.state(seconds + 0.001) == "half_open"
    assert breaker.reopens_in(seconds + 0.001) == 0.0


def periods(breaker: Breaker, now: float, random: float, count: int) -> list[float]:
    """How long an open breaker stays open, time after time, where every probe fails."""
    lasted = []
    for _ in range(count):
        lasted.append(breaker.reopens_in(now))
        now += lasted[-1]
        assert breaker.admit(now)
        breaker.failed(now, random)
    return lasted


@pytest.mark.parametrize(
    ("random", "seconds"),
    [
        (0.0, [8.0, 16.0, 32.0, 64.0, 128.0, 240.0, 240.0]),
        (0.5, [10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]),
        (0.999, [11.996, 23.992, 47.984, 95.968, 191.936, 300.0, 300.0]),
    ],
)
def test_each_time_in_a_row_doubles_it_up_to_five_minutes(random: float, seconds: list[float]) -> None:
    assert periods(opened(0.0, random), 0.0, random, 7) == pytest.approx(seconds)


def test_a_provider_that_is_gone_for_weeks_is_no_problem() -> None:
    assert periods(opened(0.0), 0.0, EXACT, 5000)[-1] == pytest.approx(300.0)


def test_a_longer_period_may_be_configured_and_is_then_the_cap() -> None:
    breaker = Breaker(attempts.Breaker(consecutive_failures=1, open_s=900.0))
    breaker.failed(0.0, EXACT)
    assert periods(breaker, 0.0, EXACT, 2) == [900.0, 900.0]


def test_half_open_lets_one_probe_through_at_a_time() -> None:
    breaker = half_open()
    assert breaker.admit(110.0)
    assert not breaker.admit(110.0)
    assert breaker.reopens_in(114.0) == 6.0
    assert breaker.state(114.0) == "half_open"


def test_two_successful_probes_close_it() -> None:
    breaker = half_open()
    assert breaker.admit(110.0)
    breaker.succeeded(111.0)
    assert breaker.state(111.0) == "half_open"
    assert breaker.admit(111.0)
    breaker.succeeded(112.0)
    assert breaker.state(112.0) == "closed"
    assert breaker.admit(112.0)
    assert breaker.admit(112.0)


def test_closed_again_it_has_forgotten_the_failures() -> None:
    breaker = half_open()
    breaker.succeeded(110.0)
    breaker.succeeded(110.0)
    assert breaker.failure_ratio(110.0) == 0.0
    for _ in range(4):
        breaker.failed(111.0, EXACT)
    assert breaker.state(111.0) == "closed"


def test_closed_again_it_opens_for_the_shortest_period() -> None:
    breaker = opened(0.0)
    periods(breaker, 0.0, EXACT, 3)  # 10 + 20 + 40 s; now open for 80 s
    breaker.succeeded(150.0)
    breaker.succeeded(150.0)
    assert breaker.state(150.0) == "closed"
    for _ in range(5):
        breaker.failed(151.0, EXACT)
    assert breaker.reopens_in(151.0) == 10.0


def test_a_failed_probe_opens_it_even_after_a_successful_one() -> None:
    breaker = half_open()
    breaker.succeeded(110.0)
    breaker.failed(110.0, EXACT)
    assert breaker.state(110.0) == "open"
    assert breaker.reopens_in(110.0) == 20.0
    breaker.succeeded(130.0)
    assert breaker.state(130.0) == "half_open"


def test_a_neutral_probe_makes_room_and_counts_for_nothing() -> None:
    breaker = half_open()
    assert breaker.admit(110.0)
    breaker.neutral(110.5)
    assert breaker.state(110.5) == "half_open"
    assert breaker.admit(110.5)
    breaker.succeeded(111.0)
    breaker.neutral(111.0)
    breaker.succeeded(111.0)
    assert breaker.state(111.0) == "closed"


def test_a_probe_that_is_never_heard_of_again_blocks_for_one_period_only() -> None:
    breaker = half_open()
    assert breaker.admit(112.0)
    assert not breaker.admit(121.9)
    assert breaker.admit(122.0)
    assert not breaker.admit(122.0)


def test_while_it_is_open_nothing_that_ends_changes_anything() -> None:
    breaker = opened(100.0)
    breaker.failed(101.0, EXACT)
    breaker.succeeded(102.0)
    breaker.succeeded(102.0)
    breaker.neutral(103.0)
    assert breaker.state(109.9) == "open"
    assert breaker.reopens_in(104.0) == 6.0


def test_each_opening_begins_an_epoch() -> None:
    breaker = opened(100.0)
    assert breaker.epoch == 1
    breaker.failed(110.0, EXACT)
    assert breaker.epoch == 2
    breaker.succeeded(130.0)
    breaker.succeeded(130.0)
    assert (breaker.state(130.0), breaker.epoch) == ("closed", 2)


class BreakerMachine(RuleBasedStateMachine):
    """Against a model that keeps everything. Time in quarters of a second; a window of 10 buckets of one second."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(
            attempts.Breaker(consecutive_failures=3, failure_ratio=0.5, window_s=10, min_requests=4, open_s=5)
        )
        self.now = 0
        self.state = "closed"
        self.outcomes: list[tuple[int, bool]] = []
        self.openings = 0
        self.period = self.open_until = self.next_probe = 0
        self.successful_probes = 0

    @rule(quarters=st.integers(1, 60))
    def wait(self, quarters: int) -> None:
        self.now += quarters
        if self.state == "open" and self.now >= self.open_until:
            self.state, self.next_probe, self.successful_probes = "half_open", self.now, 0

    @rule()
    def admit(self) -> None:
        probe = self.state == "half_open" and self.now >= self.next_probe
        assert self.breaker.admit(self.now / 4) is (self.state == "closed" or probe)
        if probe:
            self.next_probe = self.now + self.period

    @rule()
    def succeed(self) -> None:
        self.breaker.succeeded(self.now / 4)
        if self.state == "closed":
            self.outcomes.append((self.now, True))
        if self.state == "half_open":
            self.next_probe = self.now
            self.successful_probes += 1
            if self.successful_probes == 2:
                self.state, self.outcomes, self.openings = "closed", [], 0

    @rule(shorter=st.booleans())
    def fail(self, *, shorter: bool) -> None:
        self.breaker.failed(self.now / 4, 0.0 if shorter else EXACT)
        if self.state == "closed":
            self.outcomes.append((self.now, False))
        if self.state == "half_open" or (self.state == "closed" and self.too_many()):
            self.state = "open"
            base = min(20 * 2**self.openings, 1200)
            self.period = base * 4 // 5 if shorter else base
            self.openings += 1
            self.open_until = self.next_probe = self.now + self.period

    @rule()
    def end_neutrally(self) -> None:
        self.breaker.neutral(self.now / 4)
        if self.state == "half_open":
            self.next_probe = self.now

    @invariant()
    def they_agree(self) -> None:
        assert self.breaker.state(self.now / 4) == self.state
        left = 0 if self.state == "closed" else max(0, self.next_probe - self.now)
        assert self.breaker.reopens_in(self.now / 4) == left / 4
        recent = self.recent()
        assert self.breaker.failure_ratio(self.now / 4) == (recent.count(False) / len(recent) if recent else 0.0)

    def recent(self) -> list[bool]:
        return [succeeded for at, succeeded in self.outcomes if self.now // 4 - at // 4 < 10]

    def too_many(self) -> bool:
        in_a_row = len(self.outcomes) >= 3 and not any(succeeded for _, succeeded in self.outcomes[-3:])
        recent = self.recent()
        return in_a_row or (len(recent) >= 4 and 2 * recent.count(False) >= len(recent))


TestBreakerMachine = BreakerMachine.TestCase
