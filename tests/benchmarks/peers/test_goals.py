from attrs import evolve

from benchmarks.peers.figures import ADDED_P50, RATE, Figures, Outcome
from benchmarks.peers.goals import GOALS, Findings, rows
from benchmarks.peers.growth import Growth
from benchmarks.peers.load import Result
from benchmarks.peers.page import goals_text
from benchmarks.peers.processes import Reading

SECOND = Result(0, 0, 0, 0, 1.0, 0, 0, 0, 0)


def answered(answers: int, p50_ns: int = 0) -> Outcome:
    return Outcome(evolve(SECOND, answers=answers, p50_ns=p50_ns), 0.0, 0.0)


def test_goals_are_reached_or_not() -> None:
    plain = Figures()
    plain.note([RATE], {"clawgw": answered(6000), "LiteLLM": answered(100), "Portkey": answered(1001)})
    plain.note([ADDED_P50], {"no gateway": answered(1, 50_000), "clawgw": answered(1, 550_001)})
    redis = Figures()
    redis.note([ADDED_P50], {"limits in memory": answered(1, 300_000), "limits in Redis": answered(1, 700_000)})
    grown = Growth(
        10, 10, Reading(0, 80, 9), Reading(0, 100, 9), Reading(0, 104, 9), Reading(0, 106, 9), still_running=0
    )
    assert rows(Findings({"plain": plain, "redis": redis}, {"clawgw": grown})) == [
        ("requests/s, as a multiple of LiteLLM's", "≥ 60", "60.0", "yes"),
        ("requests/s, as a multiple of Portkey's", "≥ 6", "5.99", "no"),
        ("added ms, one at a time, p50", "≤ 0.5", "0.50", "no"),
        ("MiB at the start", "≤ 80", "80.0", "yes"),
        ("memory at the end, as a multiple of that after a tenth", "≤ 1.05", "1.06", "no"),
        ("streams still sent to nobody", "≤ 0", "0.00", "yes"),
        ("ms added by limits in Redis, p50", "≤ 0.5", "0.40", "yes"),
    ]


def test_what_was_not_measured_is_left_out() -> None:
    assert rows(Findings()) == []
    assert goals_text(Findings()) == "### Goals\n\n|  | goal | measured | reached |\n| --- | --- | --- | --- |\n"


def test_a_goal_has_one_bound() -> None:
    assert {(goal.least > float("-inf")) + (goal.most < float("inf")) for goal in GOALS} == {1}
