import gc
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import pytest
import trio
from attrs import evolve

from clawgw.policies.functions import PolicyFunction
from clawgw.policies.guard import LIMIT_S, PolicyFailure, TimeIsUp, run_guarded
from clawgw.policies.returned import charges_of, plan_of
from clawgw.policy import AtOnce, Plan, PlannedAttempt, TargetView, in_turn
from tests.given_time import Stopwatch
from tests.policy_runtime.sources import FACTS, VIEWS, A, B, policy

PLAN = in_turn(VIEWS, "as they are")
LATEST_S = 0.5
"""When a call must be over at the latest, of the time that it is given."""


def run(
    function: PolicyFunction,
    targets: Sequence[TargetView] = VIEWS,
    options: Mapping[str, object] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Plan | PolicyFailure:
    read = partial(plan_of, targets=[view.target for view in targets])
    return run_guarded(function, (FACTS, targets, options or {}), read, clock)


def failure(body: str) -> PolicyFailure:
    outcome = run(policy(body), options={"x": 1})
    assert isinstance(outcome, PolicyFailure)
    return outcome


def test_a_good_plan_is_handed_on() -> None:
    assert run(policy("return in_turn(targets, 'as they are')")) == PLAN


def test_a_policy_gets_what_it_is_called_with() -> None:
    seen: list[object] = []

    def route(*arguments: object) -> Plan:
        seen.extend(arguments)
        return PLAN

    run(route, options={"ceiling_usd": 0.01})
    assert seen == [FACTS, VIEWS, {"ceiling_usd": 0.01}]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("return options['missing']", "KeyError"),
        ("raise ValueError(request.user)", "ValueError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise BaseExceptionGroup('x', [SystemExit()])", "BaseExceptionGroup"),
        ("return route(request, targets, options)", "RecursionError"),
    ],
)
def test_one_that_raises(body: str, kind: str) -> None:
    assert failure(body) == PolicyFailure("raised", f"policies/mine.py:5: {kind}")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("return None", "returned NoneType, not a Plan"),
        ("return []", "returned list, not a Plan"),
        ("return Plan([])", "the plan has no attempts"),
        (
            "return Plan([PlannedAttempt(Target('c', 'm'))])",
            "attempts[0].target: c/m is not a target of the route",
        ),
    ],
)
def test_one_that_returns_something_else(body: str, text: str) -> None:
    assert failure(body) == PolicyFailure("rubbish", text)


def test_a_sequence_with_code_of_its_own_is_read_under_guard() -> None:
    body = "class Odd(list):\n    def __iter__(self): {}\nreturn Odd()"
    for code, kind in (("spin()", "overrun"), ("1 / 0", "raised"), ("return iter([5])", "rubbish")):
        outcome = run_guarded(policy(body.format(code)), (FACTS, VIEWS, {}), charges_of)
        assert isinstance(outcome, PolicyFailure)
        assert outcome.kind == kind


def test_rubbish_with_code_of_its_own_is_looked_at_under_guard() -> None:
    body = "class Odd(Plan):\n    @property\n    def attempts(self):\n        spin()\nreturn object.__new__(Odd)"
    assert failure(body).kind == "overrun"
    assert failure(body.replace("spin()", "1 / 0")).kind == "raised"


HANGING = {
    "a loop": "while True: pass",
    "a sleep": "import time\ntime.sleep(60)",
    "a lock": "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    "an event": "import threading\nthreading.Event().wait()",
    "a queue": "import queue\nqueue.Queue().get()",
    "a regular expression": "import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
    "a sum": "sum(i for i in iter(int, 1))",
    "caught once": "try:\n    spin()\nexcept BaseException: pass\nspin()",
    "caught by finally": "try:\n    spin()\nfinally:\n    spin()",
    "retried with Exception": "while True:\n    try:\n        spin()\n    except Exception: pass",
}


@pytest.mark.parametrize("name", HANGING)
def test_one_that_hangs_is_ended(name: str) -> None:
    began, stopwatch = time.perf_counter(), Stopwatch()
    ended = failure(HANGING[name])
    given_s, took_s = stopwatch.given_s(), time.perf_counter() - began
    assert ended.kind == "overrun"
    assert ended.text.endswith("TimeIsUp)")
    assert "policies/mine.py:" in ended.text
    assert given_s < LATEST_S
    assert took_s >= LIMIT_S


def test_one_that_comes_late_has_overrun_even_with_a_plan() -> None:
    body = "try:\n    spin()\nexcept BaseException: return in_turn(targets)"
    assert failure(body).kind == "overrun"
    assert failure(body.replace("return in_turn(targets)", "raise ValueError")).text.endswith("ValueError)")


def test_the_time_is_the_clocks() -> None:
    for took, expected in ((0.05, PLAN), (0.051, PolicyFailure("overrun", "took 51 ms, 50 are allowed"))):
        times = iter([0.0, took])
        assert run(lambda *_: PLAN, clock=lambda: next(times)) == expected  # noqa: B023 - called at once


def test_a_loop_that_catches_everything_each_time_is_what_cannot_be_ended() -> None:
    """Until it ends by itself; it is then known for what it is."""
    body = "caught = 0\nwhile caught < 5:\n    try:\n        spin()\n    except BaseException: caught += 1"
    assert failure(body).kind == "overrun"


def test_the_timer_and_the_collector_are_left_as_they_were() -> None:
    for body in ("return None", "raise SystemExit", "spin()"):
        failure(body)
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        assert gc.isenabled()
    gc.disable()
    try:
        failure("return None")
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_signal_that_comes_late_does_nothing() -> None:
    run(lambda *_: PLAN)
    for _ in range(100):
        signal.raise_signal(signal.SIGALRM)


def until_late(seconds: float) -> Callable[..., Plan]:
    def route(*_: object) -> Plan:
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            pass
        return PLAN

    return route


@pytest.fixture
def signals_at_random() -> Iterator[None]:
    """SIGALRM from outside, thousands of times, whatever this process is doing."""
    stop = threading.Event()
    random_ = random.Random(1)  # noqa: S311 - when to send a signal

    def send() -> None:
        while not stop.is_set():
            os.kill(os.getpid(), signal.SIGALRM)
            time.sleep(random_.random() / 1000)

    for seconds in (0.0, LIMIT_S * 2):  # a tracer of coverage takes locks when it sees code for the first time
        run(until_late(seconds))
    sender = threading.Thread(target=send)
    sender.start()
    yield
    stop.set()
    sender.join()


@pytest.mark.usefixtures("signals_at_random")
def test_the_exception_never_leaves_the_call() -> None:
    """Whenever the signal comes: before the call, within it, while its result is taken, after it."""
    kinds = set()
    for number in range(10_000):
        outcome = run(until_late(number % 20 / 100_000))
        if isinstance(outcome, PolicyFailure) and outcome.kind == "overrun":
            continue  # the machine has stalled for 50 ms
        kinds.add(outcome.text if isinstance(outcome, PolicyFailure) else "a plan")
    assert kinds == {"TimeIsUp", "a plan"}


def test_calls_that_end_just_when_their_time_does() -> None:
    for number in range(60):
        outcome = run(until_late(LIMIT_S + (number - 30) / 100_000))
        assert outcome == PLAN or (isinstance(outcome, PolicyFailure) and outcome.kind == "overrun")


def test_another_signals_function_is_not_interrupted() -> None:
    """It has interrupted the policy, so it runs on the policy's stack; what it does is not the policy's fault."""
    done = []

    def slow(*_: object) -> None:
        until = time.perf_counter() + 2 * LIMIT_S
        while time.perf_counter() < until:
            pass
        done.append("all of it")

    before = signal.signal(signal.SIGUSR1, slow)
    try:
        ended = failure("import signal\nsignal.raise_signal(signal.SIGUSR1)\nspin()")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert done == ["all of it"]
    assert ended.kind == "overrun"


async def test_trio_goes_on_as_before() -> None:
    """The timer's signals wake its loop as all signals do; another signal that comes meanwhile is not lost."""
    with trio.open_signal_receiver(signal.SIGUSR1) as received:
        for _ in range(3):
            ended = failure("import signal\nsignal.raise_signal(signal.SIGUSR1)\nspin()")
            assert ended.kind == "overrun"
            with trio.fail_after(5):
                assert await anext(received) == signal.SIGUSR1
        with trio.fail_after(5):
            await trio.sleep(0.01)
            assert await trio.to_thread.run_sync(lambda: 7) == 7
    assert run(lambda *_: PLAN) == PLAN


def test_time_is_up_is_no_exception() -> None:
    assert not issubclass(TimeIsUp, Exception)


def test_a_plan_with_one_target_of_the_route_is_enough() -> None:
    alone = Plan([PlannedAttempt(B, AtOnce())])
    assert run(lambda *_: alone) == alone
    only_a = [evolve(VIEWS[0], target=A)]
    assert isinstance(run(lambda *_: alone, only_a), PolicyFailure)
