"""What it costs a request that another attempt may join it, when none does: plain answers over loopback, one at a time.

    python -m benchmarks.hedge [REQUESTS]

Each request goes through the whole gateway behind its doors: plan, attempts, answer, record. The routes take turns in
one run, so that the machine's moods are shared; what is printed is the median CPU time of a request in this process, in
µs, and its ratio to a plan of one attempt: first with plans that are made anyway, which is what racing costs, then with
the planning, which looks at every target's health. The upstream is a process of its own (`benchmarks.upstream`).
"""

import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import trio
from attrs import frozen

from benchmarks.upstream import LIMIT_S, REQUEST, serving
from clawgw.config.load import load
from clawgw.engine.arrival import Arrival
from clawgw.gateway import Gateway, PlainAnswer
from clawgw.ledger.record import Unwritten
from clawgw.policies.load import load_policies
from clawgw.policy import After, OnFailure, Plan, PlannedAttempt, Target
from clawgw.routing.prices import Prices
from clawgw.routing.resolve import Resolved
from clawgw.serve.limiting import LimitKeeper
from clawgw.serve.wiring import open_service
from clawgw.wire.checks.parse import parse_chat_request
from clawgw.wire.request import ChatRequest

if TYPE_CHECKING:
    from clawgw.engine.planning import Planner

BATCH = 50
"""Requests of one route before the next one's turn: the clock of CPU time is coarse."""
CONFIG = """
[providers.p]
wire = "openai"
base_url = "{base_url}"
allow_private_network = true
[routes.one]
targets = ["p/a"]
[routes.two]
targets = ["p/a", "p/b"]
[routes.hedged]
targets = ["p/a", "p/b"]
strategy = "hedge"
hedge_after = 2.0
[routes.raced]
targets = ["p/a", "p/b"]
strategy = "race"
"""
_SECOND = Target("p", "b")
PLANS = {
    route: Plan([PlannedAttempt(Target("p", "a")), *more])
    for route, more in {
        "one": [],
        "two": [PlannedAttempt(_SECOND, OnFailure(after_silence_s=4.0))],
        "hedged": [PlannedAttempt(_SECOND, After(2.0))],
        "raced": [PlannedAttempt(_SECOND)],
    }.items()
}
ROUTES = {
    "one": "one attempt",
    "two": "two targets, silence after 4 s",
    "hedged": "a hedge after 2 s that does not fire",
    "raced": "two attempts at once, for comparison",
}


@frozen
class MadePlans:
    """A planner that has nothing to think about."""

    prices: Prices

    def charges(self, *_: object) -> tuple[()]:
        """None."""
        return ()

    def plan(self, resolved: Resolved, *_: object) -> Plan:
        """By the name of the route."""
        return PLANS[resolved.route or ""]


async def measure(gateway: Gateway, count: int) -> None:
    """Print a line for each route."""
    requests = {route: parse_chat_request(REQUEST.replace(b'"m"', f'"{route}"'.encode())) for route in ROUTES}
    costs: dict[str, list[float]] = {route: [] for route in ROUTES}
    for turn in range(count // BATCH + 1):
        for route, request in requests.items():
            cost = await cost_of_batch(gateway, request)
            if turn:  # the first warms up
                costs[route].append(cost)
    medians = {route: statistics.median(costs[route]) for route in ROUTES}
    for route, said in ROUTES.items():
        print(f"{said:<40} {medians[route] * 1e6:6.0f} µs  {medians[route] / medians['one']:.3f}")


async def cost_of_batch(gateway: Gateway, request: ChatRequest) -> float:
    """CPU seconds a request."""
    started = time.process_time()
    for _ in range(BATCH):
        arrival = Arrival("req_1", None, trio.current_time(), time.time(), gateway.live)
        answer = await gateway.answer(request, arrival)
        assert isinstance(answer, PlainAnswer)  # noqa: S101  # it was not asked to be a stream
    return (time.process_time() - started) / BATCH


def main() -> None:
    """Run the server beside the measuring."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000

    async def bounded(base_url: str) -> None:
        snapshot = load(CONFIG.format(base_url=base_url), {}, read_file=Path.read_bytes)
        with trio.fail_after(LIMIT_S):
            limits = LimitKeeper.of(snapshot, "benchmark", None)
            opened = open_service(snapshot, load_policies(snapshot), "benchmark", limits, Unwritten())
            async with opened as (service, _):
                gateway = cast("Gateway", service.gateway)
                real = gateway.live.planner
                made = cast("Planner", MadePlans(real.prices))
                for said, planner in (("with plans made before", made), ("with planning", real)):
                    print(said)
                    gateway.live.planner = planner
                    await measure(gateway, count)

    with serving() as base_url:
        trio.run(bounded, base_url)


if __name__ == "__main__":
    main()
