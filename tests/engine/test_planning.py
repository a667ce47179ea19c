"""What a plan is made of: prices of the request's day and of a prompt of its length, and no more than is needed.

And what quotas charge.
"""

from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import define, evolve, field

from clawgw.config.load import load
from clawgw.engine.planning import Planner
from clawgw.policies.runner import PolicyRunner
from clawgw.policy import After, AtOnce, Charge, Plan, Quantiles, RequestFacts, Target, TargetView
from clawgw.routing.catalogue import bundled
from clawgw.routing.resolve import resolve
from clawgw.routing.strategies import STRATEGIES

CONFIG = """
[providers.corp]
wire = "openai"
base_url = "https://corp.example/v1"
[providers.openai]
[providers.google]
[providers.parrot]
wire = "echo"
[prices."corp/m"]
input = 0.5
output = 4.0
""" + "".join(
    f"""
[routes.{strategy}]
targets = ["corp/m", "corp/n"]
strategy = "{strategy}"
"""
    for strategy in STRATEGIES
)
PLANNER = Planner(
    load(CONFIG, {}, read_file=lambda _: pytest.fail("no file is named")),
    bundled(),
    PolicyRunner({}, lambda *_: None),
)


@pytest.mark.parametrize(
    ("target", "tokens", "day", "prices"),
    [
        (Target("corp", "m"), 10, "2026-11-23", (0.5, 4.0)),
        (Target("corp", "unheard-of"), 10, "2026-11-23", (None, None)),
        (Target("openai", "gpt-6-luna"), 272_000, "2026-11-23", (0.1, 0.5)),
        (Target("openai", "gpt-6-luna"), 272_001, "2026-11-23", (0.2, 0.75)),
        (Target("google", "gemini-4-argon"), 10, "2026-11-30", (2.0, 10.0)),
        (Target("google", "gemini-4-argon"), 10, "2026-12-01", (4.0, 20.0)),
        (Target("echo", "any-name"), 10, "2026-11-23", (0.0, 0.0)),
        (Target("parrot", "any-name"), 10, "2026-11-23", (0.0, 0.0)),
    ],
)
def test_prices_of_a_view(target: Target, tokens: int, day: str, prices: tuple[float | None, float | None]) -> None:
    now = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    view = PLANNER.base(target, RequestFacts("any", estimated_tokens=tokens, now=now))
    assert (view.input_price, view.output_price) == prices


@define
class Request:
    """What is asked of it. `what` is seen of each target."""

    what: dict[str, Any] = field(factory=dict)
    random: float = 0.5
    asked: list[str] = field(factory=list)

    def facts(self) -> RequestFacts:
        self.asked.append("facts")
        return RequestFacts("any", random=self.random)

    def dice(self) -> float:
        self.asked.append("dice")
        return self.random

    def seen(self, base: TargetView, *, steady: bool) -> TargetView:
        self.asked.append("a steady view" if steady else "a view")
        return evolve(base, **self.what)


def planned(planner: Planner, route: str, request: Request) -> Plan:
    return planner.plan(resolve(route, "chat.completions", planner.snapshot, planner.catalogue), request, now=0.0)


@pytest.mark.parametrize(
    ("strategy", "asked"),
    [
        ("failover", []),
        ("hedge", ["a steady view", "a steady view"]),
        ("race", ["a steady view", "a steady view"]),
        ("weighted", ["a view", "a view", "dice"]),
        ("fastest", ["a view", "a view", "dice"]),
        ("cheapest", ["facts", "a view", "a view"]),
    ],
)
def test_the_request_is_asked_only_for_what_decides(strategy: str, asked: list[str]) -> None:
    request = Request()
    plan = planned(PLANNER, strategy, request)
    assert {str(attempt.target) for attempt in plan.attempts} == {"corp/m", "corp/n"}
    assert request.asked == asked


@pytest.mark.parametrize("strategy", ["weighted", "fastest"])
def test_the_dice_decide(strategy: str) -> None:
    first = [planned(PLANNER, strategy, Request(random=random)).attempts[0].target.model for random in (0.1, 0.9)]
    assert first == ["m", "n"]


@pytest.mark.parametrize("strategy", ["hedge", "race"])
def test_a_plan_by_health_alone_is_made_once_for_the_same_health(strategy: str) -> None:
    well, ill = {"failure_ratio": 0.0}, {"failure_ratio": 0.5, "breaker": "open"}
    plans = [planned(PLANNER, strategy, Request(what)) for what in (well, ill, well, ill)]
    assert plans[0] is plans[2]
    assert plans[1] is plans[3]
    assert plans[0] != plans[1]


def test_the_shortest_time_that_a_quantile_means_is_configured() -> None:
    snapshot = load(f"[hedge]\nfloor_s = 0.25\n{CONFIG}", {}, read_file=lambda _: pytest.fail("no file is named"))
    planner = Planner(snapshot, bundled(), PolicyRunner({}, lambda *_: None))
    quick = Quantiles([0.1], [1.0])
    for each, floor_s in ((planner, 0.25), (PLANNER, 0.5)):
        plan = planned(each, "hedge", Request({"first_token": quick}))
        assert [attempt.start for attempt in plan.attempts] == [AtOnce(), After(floor_s)]


def test_quotas_charge_in_their_order_with_the_options_of_all() -> None:
    text = '[policies]\nquota = ["q:b", "q:a"]\noptions = { size = 7 }'
    functions = {
        "q:a": lambda request, options: [Charge(f"a:{request.user}", concurrent=options["size"])],
        "q:b": lambda _, options: [Charge("b", concurrent=options["size"]), Charge("c", requests=2)],
    }
    planner = Planner(load(text, {}, read_file=lambda _: b""), bundled(), PolicyRunner(functions, lambda *_: None))
    assert planner.charges(lambda: RequestFacts("any", user="ann"), now=0.0) == (
        Charge("b", concurrent=7),
        Charge("c", requests=2),
        Charge("a:ann", concurrent=7),
    )


def test_without_quotas_the_request_is_not_looked_at() -> None:
    assert PLANNER.charges(lambda: pytest.fail("it is looked at"), now=0.0) == ()
