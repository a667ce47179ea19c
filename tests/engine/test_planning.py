"""What a plan is made of: prices of the request's day and of a prompt of its length, and no more than is needed.

And what quotas charge.
"""

from datetime import UTC, datetime

import pytest
from attrs import evolve

from clawgw.config.load import load
from clawgw.engine.planning import Planner
from clawgw.policies.runner import PolicyRunner
from clawgw.policy import After, AtOnce, Charge, Quantiles, RequestFacts, Target
from clawgw.routing.catalogue import bundled
from clawgw.routing.resolve import resolve
from clawgw.routing.strategies import STRATEGIES

CONFIG = """
[providers.corp]
wire = "openai"
base_url = "https://corp.example/v1"
[providers.openai]
[providers.google]
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
    ],
)
def test_prices_of_a_view(target: Target, tokens: int, day: str, prices: tuple[float | None, float | None]) -> None:
    now = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    view = PLANNER.base(target, RequestFacts("any", estimated_tokens=tokens, now=now))
    assert (view.input_price, view.output_price) == prices


@pytest.mark.parametrize(
    ("strategy", "asked"),
    [("failover", 0), ("hedge", 0), ("race", 0), ("weighted", 1), ("cheapest", 1), ("fastest", 1)],
)
def test_the_request_is_looked_at_only_by_strategies_that_decide_by_it(strategy: str, asked: int) -> None:
    asks: list[int] = []

    def facts() -> RequestFacts:
        asks.append(1)
        return RequestFacts("any")

    resolved = resolve(strategy, "chat.completions", PLANNER.snapshot, PLANNER.catalogue)
    plan = PLANNER.plan(resolved, facts, lambda view: view, now=0.0)
    assert {str(attempt.target) for attempt in plan.attempts} == {"corp/m", "corp/n"}
    assert len(asks) == asked


def test_the_shortest_time_that_a_quantile_means_is_configured() -> None:
    snapshot = load(f"[hedge]\nfloor_s = 0.25\n{CONFIG}", {}, read_file=lambda _: pytest.fail("no file is named"))
    planner = Planner(snapshot, bundled(), PolicyRunner({}, lambda *_: None))
    quick = Quantiles([0.1], [1.0])
    for each, floor_s in ((planner, 0.25), (PLANNER, 0.5)):
        resolved = resolve("hedge", "chat.completions", each.snapshot, each.catalogue)
        plan = each.plan(resolved, lambda: RequestFacts("any"), lambda view: evolve(view, first_token=quick), now=0.0)
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
