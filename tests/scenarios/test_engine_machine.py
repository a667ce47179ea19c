"""Whatever upstreams and clients do, and however much of it at the very same moment: the engine keeps its promises.

Each step of the machine lets some clients ask at once, in virtual time, through the real gateway: any plans, any
behaviour of the upstreams, clients that leave at any time. Breakers, keys and budgets live on from step to step.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, cast

import orjson
import trio
from attrs import define, field, frozen
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from trio.testing import MockClock

from clawgw.config.load import load
from clawgw.engine.arrival import Arrival
from clawgw.engine.planning import Asked
from clawgw.engine.upstream import Call
from clawgw.errors import GatewayError
from clawgw.gateway import Gateway, StreamAnswer
from clawgw.ledger.record import RequestRecord
from clawgw.policy import After, AtOnce, OnFailure, Plan, PlannedAttempt, Start, Target, Trigger
from clawgw.routing.budget import FLOOR, Budgets
from clawgw.routing.prices import Prices, prices_of
from clawgw.wire.failure import Failure, Kind
from tests.living import live
from tests.scripted_upstream import Refusal, Reply, ScriptedExchange, ScriptedUpstream
from tests.test_gateway import END, ROLE, Ear, chat, chunk, completion

if TYPE_CHECKING:
    from clawgw.engine.planning import Planner

DEADLINE_S = 30.0
CLOSED_WITHIN_S = 1.0
ROUNDING = 1e-6
STAYS = 1e6
FIRST_TOKEN_S, TOTAL_S = 6.0, 20.0
MOST_ATTEMPTS = range(1, 5)
KEYS = {"a": ["a1"], "b": ["b1", "b2"], "c": ["c1"]}
WINDOWS: Mapping[Trigger, float] = {"retry": 10.0, "hedge": 60.0, "silence": 60.0}
RATIOS: Mapping[Trigger, float] = {"retry": 0.2, "hedge": 0.05, "silence": 0.1}

CONFIG = (
    """
[breaker]
consecutive_failures = 2
open_s = 3.0
[retry]
budget_ratio = 0.2
[hedge]
budget_ratio = 0.05
[silence]
budget_ratio = 0.1
"""
    + "".join(
        f"""
[providers.{name}]
wire = "openai"
base_url = "https://{name}.example/v1"
api_keys = {[f"env:{key.upper()}" for key in keys]}
timeouts = {{ first_token_s = {FIRST_TOKEN_S}, total_s = {TOTAL_S}, idle_s = 4.0 }}
"""
        for name, keys in KEYS.items()
    )
    + "".join(
        f"""
[routes.r{most}]
targets = ["a/m", "b/m", "c/m"]
max_attempts = {most}
deadline_s = {DEADLINE_S}
"""
        for most in MOST_ATTEMPTS
    )
)
ENVIRON = {key.upper(): key for keys in KEYS.values() for key in keys}

Manner = Literal["answers", "is cut", "stalls", "breaks early", "talks nonsense", "says nothing"]


@frozen
class Behaviour:
    """What an upstream does with one call: an HTTP status, a refusal of a kind, or a manner of answering with 200."""

    what: int | Kind | Manner
    delay: float
    gap: float
    connect_s: float

    def reply(self, call: Call) -> Reply | Refusal:
        if isinstance(self.what, Kind):
            return Refusal(Failure(self.what, "made up"), self.delay)
        if isinstance(self.what, int):
            headers = {"retry-after": "2"} if self.what == 429 else {}
            return Reply(self.what, [b'{"error": {"message": "no"}}'], self.delay, headers)
        streaming = orjson.loads(call.body).get("stream", False)
        good = [ROLE, self.gap, chunk({"content": "hi"}), self.gap] if streaming else [completion().body[0]]
        end = END if streaming else []
        bodies: Mapping[Manner, Sequence[bytes | float | Failure]] = {
            "answers": [*good, *end],
            "is cut": [*good, self.gap, Failure(Kind.RESET, "cut")],
            "stalls": [*good, 1e6],
            "breaks early": [self.gap, Failure(Kind.RESET, "cut")],
            "talks nonsense": [b"<html>"],
            "says nothing": [1e6],
        }
        return Reply(200, bodies[self.what], self.delay)


@frozen
class Visit:
    """One request: when it comes, what its plan is, how often it may be tried, how long its client stays (seconds)."""

    at: float
    plan: Plan
    most_attempts: int
    streaming: bool
    stays_s: float
    turns: int
    """Of the scheduler, after which the client leaves when its time has come."""


moments = st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0])
"""So few that much happens at the same time."""
starts: st.SearchStrategy[Start] = st.one_of(
    st.just(AtOnce()),
    st.builds(After, st.sampled_from([0.5, 1.0, 2.0])),
    st.builds(OnFailure, st.sampled_from([0.5, 2.0, 4.0, float("inf")])),
)
plans = st.builds(
    Plan,
    st.lists(
        st.builds(PlannedAttempt, st.sampled_from([Target(name, "m") for name in KEYS]), starts), min_size=1, max_size=4
    ),
)
visits = st.builds(
    Visit,
    at=moments,
    plan=plans,
    most_attempts=st.sampled_from(MOST_ATTEMPTS),
    streaming=st.booleans(),
    stays_s=st.one_of(st.just(STAYS), moments),
    turns=st.integers(0, 6),
)
behaviours = st.builds(
    Behaviour,
    st.one_of(
        st.just("answers"),
        st.sampled_from(["answers", "is cut", "stalls", "breaks early", "talks nonsense", "says nothing"]),
        st.sampled_from([400, 401, 402, 404, 429, 500, 503]),
        st.sampled_from([Kind.CONNECT, Kind.TIMEOUT, Kind.RESET, Kind.INVALID, Kind.TOO_LARGE]),
    ),
    delay=moments,
    gap=moments,
    connect_s=st.one_of(st.just(0.0), moments),
)


@define
class WatchedBudgets(Budgets):
    """Keeps when what was asked for and granted."""

    requests: list[float] = field(factory=list)
    grants: list[tuple[Trigger, float]] = field(factory=list)

    def note_request(self, now: float) -> None:
        self.requests.append(now)
        super().note_request(now)

    def spend(self, trigger: Trigger, now: float) -> bool:
        granted = super().spend(trigger, now)
        if granted:
            self.grants.append((trigger, now))
        return granted


@define
class MadePlans:
    """A planner that was told."""

    prices: Prices
    plans: dict[str, Plan] = field(factory=dict)

    def charges(self, *_: object) -> tuple[()]:
        return ()

    def plan(self, _resolved: object, asked: Asked, *_: object) -> Plan:
        return self.plans[asked.facts().user or ""]


@define(eq=False)
class Seen:
    """What became of one visit."""

    visit: Visit

    committed_at: float | None = None
    gone_at: float | None = None
    open_at_commit: int = 0


async def leave(visit: Visit, everything: trio.CancelScope) -> None:
    await trio.sleep(visit.stays_s)
    for _ in range(visit.turns):
        await trio.lowlevel.checkpoint()
    everything.cancel()


class EngineMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        snapshot = load(CONFIG, ENVIRON, read_file=lambda _: b"")
        self.upstream, self.ear = ScriptedUpstream(self.reply), Ear()
        self.live = live(snapshot, self.upstream)
        self.budgets = WatchedBudgets(Budgets.of(snapshot.settings)._budgets)
        self.planner = MadePlans(prices_of(snapshot.settings.prices))
        self.live.budgets, self.live.planner = self.budgets, cast("Planner", self.planner)
        self.gateway = Gateway(self.live, self.ear, lambda: 0.5)
        self.script: list[Behaviour] = []
        self.seen: dict[str, Seen] = {}
        self.now = 0.0

    def reply(self, call: Call) -> Reply | Refusal:
        self.check_breaker(call)
        behaviour = self.script[len(self.upstream.calls) % len(self.script)]
        self.upstream.connect_s = behaviour.connect_s
        return behaviour.reply(call)

    def check_breaker(self, call: Call) -> None:
        provider = self.live.providers[call.url.split("/")[2].split(".")[0]]
        key = KEYS[provider.ready.name].index(call.headers["authorization"].removeprefix("Bearer "))
        health = provider.health._target("m").keys[key]
        now = trio.current_time()
        assert health.breaker.state(now) != "open"
        assert not health.cool_down.left_s(now)

    @rule(seconds=st.sampled_from([0.5, 3.0, 12.0, 70.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(come=st.lists(visits, min_size=1, max_size=4), script=st.lists(behaviours, min_size=1, max_size=6))
    def serve(self, come: list[Visit], script: list[Behaviour]) -> None:
        self.script = script
        clock = MockClock(autojump_threshold=0)
        clock.jump(self.now)
        before = len(self.seen)
        trio.run(self.serve_all, come, clock=clock)
        self.now = clock.current_time()
        for name in list(self.seen)[before:]:
            self.check_visit(name, self.seen[name])

    async def serve_all(self, come: list[Visit]) -> None:
        async with trio.open_nursery() as nursery:
            for visit in come:
                name = str(len(self.seen))
                self.seen[name] = Seen(visit)
                self.planner.plans[name] = visit.plan
                nursery.start_soon(self.client, name, self.seen[name])

    async def client(self, name: str, seen: Seen) -> None:
        visit = seen.visit
        await trio.sleep(visit.at)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(leave, visit, nursery.cancel_scope)
            await self.ask(name, seen)
            nursery.cancel_scope.cancel()
        seen.gone_at = trio.current_time()

    async def ask(self, name: str, seen: Seen) -> None:
        visit = seen.visit
        arrival = Arrival(name, None, trio.current_time(), 1_800_000_000.0, self.live)
        request = chat(f"r{visit.most_attempts}", user=name, stream=visit.streaming)
        try:
            answer = await self.gateway.answer(request, arrival)
        except GatewayError:
            return
        seen.committed_at = trio.current_time()
        seen.open_at_commit = sum(exchange.closed_at > seen.committed_at for exchange in self.exchanges(name))
        if isinstance(answer, StreamAnswer):
            try:
                while await answer.receive():
                    pass
            finally:
                answer.close()

    def exchanges(self, name: str) -> list[ScriptedExchange]:
        calls = zip(self.upstream.calls, self.upstream.exchanges, strict=True)
        return [exchange for (_, call), exchange in calls if orjson.loads(call.body)["user"] == name]

    def check_visit(self, name: str, seen: Seen) -> None:
        [record] = [record for record in self.ear.records if record.request_id == name]
        exchanges = self.exchanges(name)
        outcomes = Counter(attempt.outcome for attempt in record.attempts)
        assert outcomes["won"] <= 1
        assert len(exchanges) <= len(record.attempts) <= seen.visit.most_attempts
        assert seen.gone_at is not None
        assert max((exchange.closed_at for exchange in exchanges), default=0.0) <= seen.gone_at + CLOSED_WITHIN_S
        if seen.committed_at is not None:
            losers = sorted(exchange.closed_at for exchange in exchanges)[: len(exchanges) - 1]
            assert all(closed_at <= seen.committed_at + CLOSED_WITHIN_S for closed_at in losers)
            assert seen.open_at_commit <= seen.visit.streaming
        self.check_record(record, seen)

    def check_record(self, record: RequestRecord, seen: Seen) -> None:
        if seen.committed_at is None:
            assert record.outcome != "ok"
            assert record.duration_ms <= min(DEADLINE_S, seen.visit.stays_s) * 1000 + ROUNDING
        for attempt in record.attempts:
            assert 0 <= attempt.started_ms <= attempt.ended_ms <= record.duration_ms
            if attempt.first_token_ms is None:
                limit_s = FIRST_TOKEN_S if seen.visit.streaming else TOTAL_S
                assert attempt.ended_ms - attempt.started_ms <= limit_s * 1000 + ROUNDING

    @invariant()
    def nothing_is_left(self) -> None:
        assert self.upstream.left_open() == 0
        assert len(self.ear.started) == len(self.ear.records) == len(self.seen)
        for provider in self.live.providers.values():
            assert provider.in_flight == 0
            for health in provider.health._models.values():
                assert health.in_flight == 0
                for key in health.keys:
                    assert key.breaker.state(self.now) != "half_open" or key.breaker.reopens_in(self.now) == 0.0

    @invariant()
    def budgets_are_kept(self) -> None:
        """By the definition, with a bucket's width of tolerance: see `RecentCount`."""
        for trigger, at in self.budgets.grants:
            window, ratio = WINDOWS[trigger], RATIOS[trigger]
            spent = sum(one == trigger and at - 0.9 * window < then <= at for one, then in self.budgets.grants)
            asked = sum(at - window <= then <= at for then in self.budgets.requests)
            assert spent <= max(FLOOR, int(ratio * asked))
        attempts = [attempt for record in self.ear.records for attempt in record.attempts]
        started = Counter(
            attempt.trigger
            for attempt in attempts
            if attempt.trigger != "retry" or len(KEYS[attempt.target.provider]) == 1  # another key needs no budget
        )
        granted = Counter(trigger for trigger, _ in self.budgets.grants)
        assert all(started[trigger] <= granted[trigger] for trigger in WINDOWS)


EngineMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=15, deadline=None)
TestEngine = EngineMachine.TestCase
