"""What policy authors test with: it must say what the gateway would do."""

import math
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest
import trio
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from clawgw.config.tables.attempts import Retry
from clawgw.engine.race import AllFailed, run_plan
from clawgw.policy import (
    After,
    AtOnce,
    Charge,
    OnFailure,
    Plan,
    PlannedAttempt,
    RequestFacts,
    Start,
    Target,
    TargetView,
    Trigger,
    in_turn,
)
from clawgw.routing.schedule import Schedule
from clawgw.testing import Outcome, Simulated, check_charges, check_plan, facts, load_policy, simulate, view
from clawgw.wire.failure import Failure, Kind, WireError


def plan(*attempts: tuple[str, Start]) -> Plan:
    return Plan([PlannedAttempt(Target(provider, "m"), start) for provider, start in attempts])


def test_facts_and_views_have_defaults_for_all_that_is_not_given() -> None:
    assert facts() == RequestFacts("a-model")
    assert facts("fast", user="ann", tools=2) == RequestFacts(model="fast", user="ann", tools=2)
    assert view("groq/openai/gpt-oss-120b", in_flight=3) == TargetView(
        Target("groq", "openai/gpt-oss-120b"), in_flight=3
    )


@pytest.mark.parametrize("name", ["groq", "groq/", "/m", ""])
def test_a_target_is_written_as_in_the_configuration(name: str) -> None:
    with pytest.raises(ValueError, match="a target is written provider/model, not"):
        view(name)


def test_a_policy_is_loaded_from_its_file_and_finds_its_siblings(tmp_path: Path) -> None:
    (tmp_path / "options.py").write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "@dataclass\n"
        "class Options:\n"
        "    count: int\n"
    )
    file = tmp_path / "first_only.py"
    file.write_text(
        "from clawgw.policy import in_turn\n"
        "from .options import Options\n"
        "def route(request, targets, options):\n"
        "    return in_turn(targets[: Options(**options).count])\n"
    )
    targets = [view("a/m"), view("b/m")]
    assert load_policy(file)(facts(), targets, {"count": 1}) == in_turn(targets[:1])
    with pytest.raises(AttributeError, match="rout"):
        load_policy(str(file), "rout")


def test_a_policy_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "changing.py"
    file.write_text("def route(request, targets, options): return 1\n")
    first = load_policy(file)
    file.write_text("def route(request, targets, options): return 1 + 1\n")
    returned: list[object] = [route(facts(), [], {}) for route in (first, load_policy(file))]
    assert returned == [1, 2]


@pytest.mark.parametrize("name", ["gateway.toml", "missing.py", "policies"])
def test_only_python_files_are_policies(tmp_path: Path, name: str) -> None:
    (tmp_path / "gateway.toml").touch()
    (tmp_path / "policies").mkdir()
    with pytest.raises(FileNotFoundError, match=f"{name}: no such policy"):
        load_policy(tmp_path / name)


def test_a_plan_is_checked_as_the_gateway_checks_it() -> None:
    targets = [view("a/m"), view("b/m")]
    check_plan(in_turn(targets), targets)
    with pytest.raises(
        AssertionError, match=r"the gateway would not take this plan: attempts\[1\]\.target: c/m is not"
    ):
        check_plan(in_turn([view("a/m"), view("c/m")]), targets)
    with pytest.raises(AssertionError, match="returned NoneType, not a Plan"):
        check_plan(None, targets)


def test_a_quota_policy_is_loaded_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "by_user.py"
    file.write_text(
        "from clawgw.policy import Charge\n"
        "def quota(request, options):\n"
        "    return [Charge(request.user, concurrent=options['places'])]\n"
    )
    quota = load_policy(file, function="quota")
    assert quota(facts(user="ann"), {"places": 2}) == [Charge("ann", concurrent=2)]


def test_charges_are_checked_as_the_gateway_checks_them() -> None:
    check_charges([])
    check_charges([Charge("user:ann", requests_per_minute=1)])
    with pytest.raises(
        AssertionError, match=r"the gateway would not take these charges: charges\[0\]\.bucket: must be a name"
    ):
        check_charges([Charge("")])
    with pytest.raises(AssertionError, match="returned NoneType, not a sequence of Charge"):
        check_charges(None)


def test_a_failure_starts_the_next_target_at_once() -> None:
    went = simulate(plan(("a", AtOnce()), ("b", OnFailure())), {"a/m": (0.2, "fail"), "b/m": (0.5, "ok")})
    assert went == Simulated("b/m", 0.7, [("a/m", 0.0, "primary"), ("b/m", 0.2, "failover")])


def test_a_silent_target_is_joined_when_the_route_says_so() -> None:
    silent = plan(("a", AtOnce()), ("b", OnFailure()))
    went = simulate(silent, {"a/m": (0.0, "silent"), "b/m": (1.0, "ok")})
    assert went == Simulated("b/m", 5.0, [("a/m", 0.0, "primary"), ("b/m", 4.0, "silence")])
    went = simulate(silent, {"a/m": (2.5, "ok"), "b/m": (1.0, "ok")}, failover_after_s=2.0)
    assert went == Simulated("a/m", 2.5, [("a/m", 0.0, "primary"), ("b/m", 2.0, "silence")])


def test_a_hedge_joins_and_at_most_two_are_under_way() -> None:
    chain = plan(("a", AtOnce()), ("b", After(1.0)), ("c", After(1.0)))
    went = simulate(chain, {"a/m": (9.0, "fail"), "b/m": (9.0, "ok"), "c/m": (0.5, "ok")})
    assert went.winner == "c/m"
    assert went.started == [("a/m", 0.0, "primary"), ("b/m", 1.0, "hedge"), ("c/m", 9.0, "failover")]


def test_a_race_is_bounded_by_the_attempts_of_the_route() -> None:
    everyone = plan(*((name, AtOnce()) for name in "abcd"))
    outcomes: dict[str, Outcome] = {f"{name}/m": (1.0, "fail") for name in "abcd"}
    went = simulate(everyone, outcomes)
    assert went == Simulated(None, 1.0, [("a/m", 0.0, "primary"), ("b/m", 0.0, "race"), ("c/m", 0.0, "race")])
    assert len(simulate(everyone, outcomes, max_attempts=2).started) == 2


def test_nothing_outlives_the_deadline() -> None:
    alone = plan(("a", AtOnce()))
    assert simulate(alone, {"a/m": (0.0, "silent")}) == Simulated(None, 600.0, [("a/m", 0.0, "primary")])
    assert simulate(alone, {"a/m": (5.0, "ok")}, deadline_s=5.0).winner is None


def test_outcomes_are_needed_for_every_target_of_the_plan() -> None:
    with pytest.raises(AssertionError, match=r"with outcomes for a/m: attempts\[1\]\.target: b/m is not"):
        simulate(plan(("a", AtOnce()), ("b", AtOnce())), {"a/m": (1.0, "ok")})
    with pytest.raises(AssertionError, match="with outcomes for no target"):
        simulate(plan(("a", AtOnce())), {})


def test_neither_network_nor_event_loop_is_imported() -> None:
    source = "import sys, clawgw.testing; print({'trio', 'asyncio', 'httpx', 'http.client'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)  # noqa: S603 - a fixed command
    assert ran.stdout == "set()\n"


@define
class Entrant:
    """An attempt as the engine runs it, behaving as its outcome says."""

    target: Target
    outcome: Outcome
    began: float = field(factory=trio.current_time, init=False)
    heard: bool = field(default=False, init=False)
    other_key: bool = field(default=False, init=False)

    async def run(self) -> "Entrant":
        delay_s, what = self.outcome
        await trio.sleep_until(math.inf if what == "silent" else self.began + delay_s)
        if what == "fail":
            raise WireError(Failure(Kind.SERVER, "made up"))
        return self

    async def run_until(self, time: float) -> "Entrant | None":
        with trio.move_on_at(time):
            return await self.run()
        return None

    def abort(self) -> None:
        pass

    def lost(self) -> None:
        pass


async def in_the_engine(made: Plan, outcomes: dict[str, Outcome], max_attempts: int) -> Simulated:
    began = trio.current_time()
    started: list[tuple[str, float, Trigger]] = []

    def enter(target: Target, trigger: Trigger) -> Entrant:
        started.append((str(target), round(trio.current_time() - began, 6), trigger))
        return Entrant(target, outcomes[str(target)])

    schedule = Schedule(made, Retry(), max_attempts, began + 600.0, lambda: 0.5, lambda trigger, _: trigger != "retry")
    winner = None
    with trio.move_on_at(schedule.deadline):
        with suppress(AllFailed):
            winner = str((await run_plan(schedule, enter)).target)
    return Simulated(winner, round(trio.current_time() - began, 6), started)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Plan, dict[str, Outcome]]:
    """Plans and outcomes in which no two things happen at the same time: each time has a binary digit of its own."""
    digits = iter(range(3, 20))
    duration = st.integers(0, 6).map(float)
    attempts, outcomes = [], dict[str, Outcome]()
    kinds: st.SearchStrategy[Literal["ok", "fail", "silent"]] = st.sampled_from(["ok", "fail", "silent"])
    for name in "abcde"[: draw(st.integers(1, 5))]:
        wait = draw(duration) + 2.0 ** -next(digits)
        starts: list[Start] = [AtOnce(), After(wait), OnFailure(wait), OnFailure(math.inf)]
        attempts.append(PlannedAttempt(Target(name, "m"), draw(st.sampled_from(starts))))
        outcomes[f"{name}/m"] = draw(duration) + 2.0 ** -next(digits), draw(kinds)
    return Plan(attempts), outcomes


@given(case=cases(), max_attempts=st.integers(1, 5))
def test_a_simulation_goes_as_the_engine_goes(case: tuple[Plan, dict[str, Outcome]], max_attempts: int) -> None:
    made, outcomes = case
    engine = trio.run(in_the_engine, made, outcomes, max_attempts, clock=MockClock(autojump_threshold=0))
    assert simulate(made, outcomes, max_attempts=max_attempts) == engine
