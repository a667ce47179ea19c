"""The race in virtual time: who starts when, who wins, what is closed, to the millisecond."""

import math
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager

import pytest
import trio
from attrs import define, field, frozen
from trio.testing import MockClock

from clawgw.config.tables.attempts import Retry
from clawgw.engine.race import AllFailed, run_plan
from clawgw.policy import After, AtOnce, OnFailure, Plan, PlannedAttempt, Start, Target, Trigger
from clawgw.routing.schedule import Schedule
from clawgw.wire.failure import Failure, Kind, WireError


@frozen
class Behaviour:
    """What a target does each time: after `delay` it answers, or fails.

    `heard` is when its first byte comes, `connected` when it has a connection: before that, a wait cannot be resumed.
    """

    delay: float
    failure: Failure | None = None
    heard: float = math.inf
    connected: float = 0.0


def answers(delay: float, *, heard: float = math.inf, connected: float = 0.0) -> Behaviour:
    return Behaviour(delay, heard=heard, connected=connected)


def fails(delay: float, kind: Kind = Kind.SERVER, hint: float | None = None) -> Behaviour:
    return Behaviour(delay, Failure(kind, "made up", retry_after_s=hint))


@define(eq=False)
class FakeAnswer:
    target: str
    aborted: bool = False

    def abort(self) -> None:
        self.aborted = True


@define(eq=False)
class Run:
    """One attempt as it was seen."""

    target: Target
    trigger: Trigger
    behaviour: Behaviour
    opened: list[FakeAnswer]
    other_key: bool = False
    started: float = field(factory=trio.current_time)
    ended: float | None = None
    result: str = "cancelled"

    @property
    def heard(self) -> bool:
        return trio.current_time() >= self.started + self.behaviour.heard

    async def run(self) -> FakeAnswer:
        answer = await self.run_until(math.inf)
        assert answer is not None
        return answer

    async def run_until(self, time: float) -> FakeAnswer | None:
        assert self.ended is None
        answers_at, resumable_at = self.started + self.behaviour.delay, self.started + self.behaviour.connected
        if time < math.inf and trio.current_time() < resumable_at:
            return None
        await trio.sleep_until(min(answers_at, time))
        if trio.current_time() < answers_at:
            return None
        self.ended = trio.current_time()
        if self.behaviour.failure is not None:
            self.result = "failed"
            raise WireError(self.behaviour.failure)
        self.result = "won"
        answer = FakeAnswer(self.target.provider)
        self.opened.append(answer)
        return answer

    def abort(self) -> None:
        if self.ended is None:
            self.ended = trio.current_time()

    def lost(self) -> None:
        self.result = "lost"


@define
class Outcome:
    winner: str | None
    at: float
    runs: list[Run]
    failures: list[str]
    open: list[str]
    """Answers that were neither returned nor aborted."""

    def story(self) -> list[tuple[str, str, float, str]]:
        return [(run.target.provider, run.trigger, round(run.started, 3), run.result) for run in self.runs]


async def run_race(
    behaviours: Sequence[tuple[str, Start, Sequence[Behaviour]]],
    *,
    max_attempts: int = 3,
    deadline: float = 600.0,
    random: float = 0.5,
    keys: int = 1,
    refused: Container[Trigger] = (),
) -> Outcome:
    plan = Plan([PlannedAttempt(Target(name, "m"), start) for name, start, _ in behaviours])
    scripts = {name: list(script) for name, _, script in behaviours}
    runs: list[Run] = []
    opened: list[FakeAnswer] = []
    start = trio.current_time()

    def enter(target: Target, trigger: Trigger) -> Run:
        script = scripts[target.provider]
        tried = sum(run.target == target for run in runs)
        run = Run(target, trigger, script.pop(0) if len(script) > 1 else script[0], opened, tried + 1 < keys)
        runs.append(run)
        return run

    schedule = Schedule(
        plan=plan,
        retry=Retry(base_s=0.05, cap_s=2.0),
        max_attempts=max_attempts,
        deadline=start + deadline,
        random=lambda: random,
        spend=lambda trigger, _: trigger not in refused,
    )
    winner: FakeAnswer | None = None
    failures: list[str] = []
    try:
        winner = await run_plan(schedule, enter)
    except AllFailed as failed:
        failures = [f"{target.provider}: {failure.kind.value}" for target, failure in failed.failures]
    left = [answer.target for answer in opened if answer is not winner and not answer.aborted]
    assert winner is None or not winner.aborted
    return Outcome(winner.target if winner else None, round(trio.current_time() - start, 3), runs, failures, left)


NEXT = OnFailure(after_silence_s=math.inf)
SILENT = OnFailure(after_silence_s=4.0)


@pytest.fixture
def clock(autojump_clock: MockClock) -> MockClock:
    return autojump_clock


async def test_a_single_target_that_answers(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [answers(1.0)])])
    assert (outcome.winner, outcome.at) == ("a", 1.0)
    assert outcome.story() == [("a", "primary", 0.0, "won")]


@pytest.mark.parametrize("start", [NEXT, SILENT])
async def test_an_explicit_failure_starts_the_next_target_at_once(clock: MockClock, start: Start) -> None:
    outcome = await run_race([("a", AtOnce(), [fails(0.2)]), ("b", start, [answers(1.0)])])
    assert (outcome.winner, outcome.at, outcome.open) == ("b", 1.2, [])
    assert outcome.story() == [("a", "primary", 0.0, "failed"), ("b", "failover", 0.2, "won")]


async def test_a_silent_target_is_joined_by_the_next_and_cancelled_when_it_loses(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [answers(900.0)]), ("b", SILENT, [answers(1.0)])])
    assert (outcome.winner, outcome.at) == ("b", 5.0)
    assert outcome.story() == [("a", "primary", 0.0, "cancelled"), ("b", "silence", 4.0, "won")]
    assert outcome.runs[0].ended == outcome.runs[1].ended


async def test_a_slow_thinker_still_wins_after_its_silence(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [answers(6.0)]), ("b", SILENT, [answers(10.0)])])
    assert (outcome.winner, outcome.at) == ("a", 6.0)
    assert outcome.story() == [("a", "primary", 0.0, "won"), ("b", "silence", 4.0, "cancelled")]


async def test_a_target_that_was_heard_is_not_silent(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [answers(30.0, heard=3.9)]), ("b", SILENT, [answers(1.0)])])
    assert (outcome.winner, outcome.at) == ("a", 30.0)
    assert len(outcome.runs) == 1


async def test_the_second_silence_counts_from_the_second_start(clock: MockClock) -> None:
    outcome = await run_race(
        [("a", AtOnce(), [answers(900.0)]), ("b", SILENT, [answers(900.0)]), ("c", SILENT, [answers(1.0)])]
    )
    assert (outcome.winner, outcome.at) == ("c", 9.0)
    assert [run.started for run in outcome.runs] == [0.0, 4.0, 8.0]


async def test_a_failure_after_a_silence_leaves_the_silent_one_running(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [answers(20.0)]), ("b", SILENT, [fails(1.0)])], max_attempts=2)
    assert (outcome.winner, outcome.at) == ("a", 20.0)
    assert outcome.story() == [("a", "primary", 0.0, "won"), ("b", "silence", 4.0, "failed")]


async def test_the_next_target_starts_when_the_joined_one_fails(clock: MockClock) -> None:
    outcome = await run_race(
        [("a", AtOnce(), [answers(900.0)]), ("b", SILENT, [fails(1.0)]), ("c", SILENT, [answers(1.0)])]
    )
    assert (outcome.winner, outcome.at) == ("c", 6.0)
    assert outcome.story()[2] == ("c", "failover", 5.0, "won")


@pytest.mark.parametrize("kind", [Kind.BAD_REQUEST, Kind.CONTEXT_LENGTH, Kind.CONTENT_POLICY, Kind.LOOP])
async def test_the_requests_own_fault_ends_it(clock: MockClock, kind: Kind) -> None:
    outcome = await run_race([("a", AtOnce(), [fails(0.5, kind)]), ("b", NEXT, [answers(0.1)])])
    assert (outcome.winner, outcome.at, outcome.failures) == (None, 0.5, [f"a: {kind.value}"])


async def test_the_requests_own_fault_cancels_whatever_runs_beside_it(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [answers(90.0)]), ("b", AtOnce(), [fails(0.5, Kind.BAD_REQUEST)])])
    assert (outcome.winner, outcome.at) == (None, 0.5)
    assert [run.result for run in outcome.runs] == ["cancelled", "failed"]


async def test_all_targets_down_ends_after_three_attempts(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [fails(0.1)]), ("b", NEXT, [fails(0.1)])])
    assert outcome.winner is None
    assert outcome.failures == ["a: server", "b: server", "a: server"]
    # a's backoff is 0.5 · 50 ms and had passed by the time b failed, 100 ms later.
    assert [run.started for run in outcome.runs] == pytest.approx([0.0, 0.1, 0.2])
    assert [run.trigger for run in outcome.runs] == ["primary", "failover", "retry"]


async def test_one_target_is_tried_again_with_full_jitter(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [fails(0.1), fails(0.1), answers(0.1)])])
    assert outcome.winner == "a"
    assert [run.started for run in outcome.runs] == pytest.approx([0.0, 0.125, 0.275])


async def test_a_429_with_a_hint_waits_for_it_where_no_other_target_is_left(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [fails(0.1, Kind.RATE_LIMITED, 1.0), answers(0.1)])])
    assert (outcome.winner, outcome.at) == ("a", 1.2)


async def test_a_429_goes_to_the_next_target_at_once(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [fails(0.1, Kind.RATE_LIMITED, 1.0)]), ("b", NEXT, [answers(0.1)])])
    assert (outcome.winner, outcome.at) == ("b", 0.2)


async def test_a_hint_past_the_deadline_is_never_slept_on(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [fails(0.1, Kind.RATE_LIMITED, 3600.0)])])
    assert (outcome.winner, outcome.at, outcome.failures) == (None, 0.1, ["a: rate_limited"])


async def test_nothing_starts_after_the_deadline(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [fails(2.0)]), ("b", NEXT, [answers(0.1)])], deadline=2.0)
    assert (outcome.winner, outcome.at, outcome.failures) == (None, 2.0, ["a: server"])


@pytest.mark.parametrize("kind", [Kind.AUTH, Kind.QUOTA])
async def test_a_refused_key_is_followed_by_the_next_key_then_the_next_target(clock: MockClock, kind: Kind) -> None:
    outcome = await run_race([("a", AtOnce(), [fails(0.1, kind)]), ("b", NEXT, [answers(0.1)])], keys=2)
    assert outcome.winner == "b"
    assert [(run.target.provider, run.trigger) for run in outcome.runs] == [
        ("a", "primary"),
        ("a", "retry"),
        ("b", "failover"),
    ]


async def test_a_missing_model_is_not_asked_for_twice(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [fails(0.1, Kind.MODEL_NOT_FOUND)])])
    assert (outcome.at, outcome.failures) == (0.1, ["a: model_not_found"])


async def test_a_target_that_cannot_do_what_is_asked_is_no_attempt(clock: MockClock) -> None:
    outcome = await run_race(
        [
            ("a", AtOnce(), [fails(0.0, Kind.UNSUPPORTED)]),
            ("b", NEXT, [fails(0.1)]),
            ("c", NEXT, [answers(0.1)]),
        ],
        max_attempts=2,
    )
    assert outcome.winner == "c"


async def test_a_race_starts_all_at_once_and_cancels_the_losers(clock: MockClock) -> None:
    outcome = await run_race(
        [("a", AtOnce(), [answers(3.0)]), ("b", AtOnce(), [answers(1.0)]), ("c", AtOnce(), [fails(0.5)])]
    )
    assert (outcome.winner, outcome.at, outcome.open) == ("b", 1.0, [])
    assert [run.result for run in outcome.runs] == ["cancelled", "won", "failed"]


async def test_a_race_is_bounded_by_the_attempts_allowed(clock: MockClock) -> None:
    outcome = await run_race([(name, AtOnce(), [fails(0.1)]) for name in "abcd"], max_attempts=2)
    assert [run.target.provider for run in outcome.runs] == ["a", "b"]


async def test_a_hedge_starts_after_its_delay_and_may_win(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [answers(9.0)]), ("b", After(1.5), [answers(1.0)])])
    assert (outcome.winner, outcome.at, outcome.open) == ("b", 2.5, [])
    assert outcome.story() == [("a", "primary", 0.0, "cancelled"), ("b", "hedge", 1.5, "won")]


async def test_a_hedge_that_is_not_needed_does_not_start(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [answers(1.4)]), ("b", After(1.5), [answers(1.0)])])
    assert outcome.story() == [("a", "primary", 0.0, "won")]


async def test_a_hedge_starts_also_beside_a_target_that_was_heard(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [answers(9.0, heard=0.1)]), ("b", After(1.5), [answers(1.0)])])
    assert (outcome.winner, outcome.at) == ("b", 2.5)


async def test_a_failure_starts_the_hedge_at_once(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [fails(0.2)]), ("b", After(1.5), [answers(1.0)])])
    assert outcome.story() == [("a", "primary", 0.0, "failed"), ("b", "failover", 0.2, "won")]


async def test_at_most_two_are_in_flight_when_hedging(clock: MockClock) -> None:
    outcome = await run_race(
        [("a", AtOnce(), [answers(9.0)]), ("b", After(1.0), [fails(4.0)]), ("c", After(1.0), [answers(1.0)])]
    )
    assert outcome.story() == [
        ("a", "primary", 0.0, "cancelled"),
        ("b", "hedge", 1.0, "failed"),
        ("c", "failover", 5.0, "won"),
    ]


BUDGETED = pytest.mark.parametrize(("start", "trigger"), [(After(1.0), "hedge"), (SILENT, "silence")])


@BUDGETED
async def test_without_a_budget_nothing_joins(clock: MockClock, start: Start, trigger: Trigger) -> None:
    outcome = await run_race([("a", AtOnce(), [answers(9.0)]), ("b", start, [answers(1.0)])], refused=[trigger])
    assert outcome.story() == [("a", "primary", 0.0, "won")]


@BUDGETED
async def test_failover_needs_no_budget(clock: MockClock, start: Start, trigger: Trigger) -> None:
    outcome = await run_race([("a", AtOnce(), [fails(8.0)]), ("b", start, [answers(1.0)])], refused=[trigger])
    assert outcome.story()[1] == ("b", "failover", 8.0, "won")


async def test_without_a_budget_no_target_is_tried_twice(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [fails(0.1)]), ("b", NEXT, [fails(0.1)])], refused=["retry"])
    assert outcome.failures == ["a: server", "b: server"]


async def test_an_open_breaker_is_passed_by_and_is_no_attempt(clock: MockClock) -> None:
    outcome = await run_race(
        [("a", AtOnce(), [fails(0.0, Kind.UNAVAILABLE)]), ("b", NEXT, [answers(0.1)])], max_attempts=1
    )
    assert outcome.winner == "b"


async def test_a_target_that_cools_down_is_waited_for(clock: MockClock) -> None:
    cooling = Behaviour(0.0, Failure(Kind.RATE_LIMITED, "cooling", retry_after_s=3.0, held_back=True))
    outcome = await run_race([("a", AtOnce(), [cooling, answers(0.5)])], max_attempts=1)
    assert (outcome.winner, outcome.at) == ("a", 3.5)


async def test_two_successes_in_one_tick_have_one_winner(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [answers(1.0)]), ("b", AtOnce(), [answers(1.0)])])
    assert outcome.winner in {"a", "b"}
    assert outcome.open == []
    assert sorted(run.result for run in outcome.runs) in (["lost", "won"], ["cancelled", "won"])


@define(eq=False)
class Spawned(trio.abc.Instrument):
    """How many tasks were started."""

    tasks: int = 0

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        self.tasks += 1


@contextmanager
def counted() -> Iterator[Spawned]:
    instrument = Spawned()
    trio.lowlevel.add_instrument(instrument)
    try:
        yield instrument
    finally:
        trio.lowlevel.remove_instrument(instrument)


@pytest.mark.parametrize("start", [NEXT, SILENT, After(1.5)])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (answers(1.4), answers(9.0)),
        (fails(0.5), answers(1.0)),
        (fails(0.5), fails(0.5, Kind.BAD_REQUEST)),
    ],
)
async def test_no_task_is_started_where_nothing_runs_beside_another(
    clock: MockClock, start: Start, first: Behaviour, second: Behaviour
) -> None:
    with counted() as spawned:
        await run_race([("a", AtOnce(), [first]), ("b", start, [second])])
    assert spawned.tasks == 0


async def test_no_task_is_started_where_what_is_due_may_not_join(clock: MockClock) -> None:
    with counted() as spawned:
        heard = await run_race([("a", AtOnce(), [answers(30.0, heard=3.9)]), ("b", SILENT, [answers(1.0)])])
        broke = await run_race([("a", AtOnce(), [answers(9.0)]), ("b", After(1.0), [answers(1.0)])], refused=["hedge"])
    assert (heard.winner, heard.at, broke.winner, broke.at) == ("a", 30.0, "a", 9.0)
    assert spawned.tasks == 0


@pytest.mark.parametrize(("start", "trigger", "at"), [(SILENT, "silence", 4.0), (After(1.5), "hedge", 1.5)])
async def test_a_task_each_is_started_when_one_joins(
    clock: MockClock, start: Start, trigger: Trigger, at: float
) -> None:
    with counted() as spawned:
        outcome = await run_race([("a", AtOnce(), [answers(9.0)]), ("b", start, [answers(1.0)])])
    assert outcome.story() == [("a", "primary", 0.0, "cancelled"), ("b", trigger, at, "won")]
    assert spawned.tasks == 2


@pytest.mark.parametrize("connected", [0.2, 1.5, 8.0])
async def test_a_hedge_is_not_late_because_the_first_is_still_connecting(clock: MockClock, connected: float) -> None:
    outcome = await run_race([("a", AtOnce(), [answers(9.0, connected=connected)]), ("b", After(1.5), [answers(1.0)])])
    assert (outcome.winner, outcome.at, outcome.open) == ("b", 2.5, [])
    assert outcome.story() == [("a", "primary", 0.0, "cancelled"), ("b", "hedge", 1.5, "won")]


async def test_one_that_had_to_connect_is_not_started_again(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [answers(1.0, connected=0.5)]), ("b", After(1.5), [answers(1.0)])])
    assert outcome.story() == [("a", "primary", 0.0, "won")]


async def test_a_failure_beside_nobody_is_followed_within_the_nursery_as_well(clock: MockClock) -> None:
    outcome = await run_race(
        [("a", AtOnce(), [Behaviour(1.0, fails(0).failure, connected=0.5)]), ("b", SILENT, [fails(6.0)])]
    )
    assert outcome.failures == ["a: server", "b: server", "a: server"]
    assert [run.started for run in outcome.runs] == [0.0, 1.0, 7.0]


@pytest.mark.parametrize("connected", [0.0, 0.2, 4.2])
@pytest.mark.parametrize("start", [SILENT, After(4.0)])
@pytest.mark.parametrize("leaves_at", [0.0, 0.5, 1.0, 4.0, 4.5, 5.0])
async def test_a_client_that_leaves_leaves_nothing_open(
    clock: MockClock, leaves_at: float, start: Start, connected: float
) -> None:
    runs: list[Run] = []
    opened: list[FakeAnswer] = []
    plan = Plan([PlannedAttempt(Target("a", "m")), PlannedAttempt(Target("b", "m"), start)])

    def enter(target: Target, trigger: Trigger) -> Run:
        delay = 5.0 if target.provider == "a" else 1.0
        runs.append(Run(target, trigger, answers(delay, connected=connected), opened))
        return runs[-1]

    schedule = Schedule(plan, Retry(), 3, math.inf, lambda: 0.5, lambda _trigger, _now: True)
    winner = None
    with trio.CancelScope(deadline=trio.current_time() + leaves_at) as scope:
        winner = await run_plan(schedule, enter)
    assert scope.cancelled_caught or winner is not None
    assert [answer for answer in opened if not answer.aborted and answer is not winner] == []
    assert all(run.ended is not None for run in runs)


@pytest.mark.parametrize("turns", range(8))
async def test_a_client_that_leaves_while_the_nursery_is_opening(clock: MockClock, turns: int) -> None:
    """It is cancelled so many turns of the scheduler after the hedge was due."""
    runs: list[Run] = []
    opened: list[FakeAnswer] = []
    scope = trio.CancelScope()

    def enter(target: Target, trigger: Trigger) -> Run:
        runs.append(Run(target, trigger, answers(9.0), opened))
        return runs[-1]

    async def leave() -> None:
        await trio.sleep(1.5)
        for _ in range(turns):
            await trio.lowlevel.checkpoint()
        scope.cancel()

    plan = Plan([PlannedAttempt(Target("a", "m")), PlannedAttempt(Target("b", "m"), After(1.5))])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(leave)
        with scope:
            await run_plan(Schedule(plan, Retry(), 3, math.inf, lambda: 0.5, lambda _trigger, _now: True), enter)
    assert scope.cancelled_caught
    assert trio.current_time() == 1.5
    assert all(run.ended is not None for run in runs)


async def test_an_attempt_that_cannot_even_start_leaves_nothing_open(clock: MockClock) -> None:
    run = Run(Target("a", "m"), "primary", answers(9.0), [])

    def enter(target: Target, trigger: Trigger) -> Run:
        if trigger == "primary":
            return run
        raise ZeroDivisionError

    plan = Plan([PlannedAttempt(run.target), PlannedAttempt(Target("b", "m"), After(1.0))])
    with pytest.RaisesGroup(ZeroDivisionError):
        await run_plan(Schedule(plan, Retry(), 3, math.inf, lambda: 0.5, lambda _trigger, _now: True), enter)
    assert run.ended == 1.0


async def test_a_retry_waits_for_its_time_beside_others(clock: MockClock) -> None:
    outcome = await run_race([("a", AtOnce(), [fails(0.1), answers(0.1)]), ("b", AtOnce(), [fails(0.11)])])
    # Half of 50 ms after a's failure; b's came 15 ms before that.
    assert [round(run.started, 6) for run in outcome.runs] == [0.0, 0.0, 0.125]
    assert (outcome.winner, outcome.at) == ("a", 0.225)


@define(eq=False)
class AtASignal(Run):
    """Answers when it is told, in the very turn of the scheduler in which all others do that are told."""

    told: trio.Event = field(factory=trio.Event)
    then: Callable[[], None] = field(default=lambda: None)

    async def run(self) -> FakeAnswer:
        await self.told.wait()
        self.then()
        self.result, self.ended = "won", trio.current_time()
        self.opened.append(FakeAnswer(self.target.provider))
        return self.opened[-1]


async def race_at_a_signal(runs: list[AtASignal], then: Callable[[], None], *, told: str) -> FakeAnswer:
    signal, opened = trio.Event(), list[FakeAnswer]()

    def enter(target: Target, trigger: Trigger) -> AtASignal:
        hears = signal if target.provider in told else trio.Event()
        runs.append(AtASignal(target, trigger, answers(0.0), opened, told=hears, then=then))
        return runs[-1]

    plan = Plan([PlannedAttempt(Target("a", "m")), PlannedAttempt(Target("b", "m"))])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(set_after, signal, 1.0)
        return await run_plan(Schedule(plan, Retry(), 3, math.inf, lambda: 0.5, lambda _trigger, _now: True), enter)


async def set_after(event: trio.Event, seconds: float) -> None:
    await trio.sleep(seconds)
    event.set()


async def test_the_second_answer_of_one_turn_is_aborted_and_has_lost(clock: MockClock) -> None:
    runs: list[AtASignal] = []
    winner = await race_at_a_signal(runs, lambda: None, told="ab")
    assert sorted(run.result for run in runs) == ["lost", "won"]
    assert [answer.aborted for answer in runs[0].opened] == [answer is not winner for answer in runs[0].opened]


async def test_a_client_that_leaves_in_the_turn_of_the_win_leaves_nothing_open(clock: MockClock) -> None:
    runs: list[AtASignal] = []
    with trio.CancelScope() as scope:
        await race_at_a_signal(runs, scope.cancel, told="a")
    assert scope.cancelled_caught
    assert [answer.aborted for answer in runs[0].opened] == [True]
