"""A request on its way to an answer: from the model's name through the plan to the attempt that commits."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import trio
from attrs import define, field

from clawgw.engine.arrival import Arrival
from clawgw.engine.attempt import Answer, Attempt
from clawgw.engine.provider import Place
from clawgw.engine.race import AllFailed, run_plan
from clawgw.engine.settlement import Settlement
from clawgw.limits.allowance import SLACK_MS, Allowance, Entry, Expected
from clawgw.policy import RequestFacts, Target, TargetView, Trigger
from clawgw.routing.facts import facts_of, random_of
from clawgw.routing.outcome import final_error
from clawgw.routing.permission import check_allowed
from clawgw.routing.resolve import Resolved
from clawgw.routing.schedule import Schedule
from clawgw.tokens.prompt import Prompt
from clawgw.tokens.window import needs_no_count
from clawgw.wire.failure import WireError
from clawgw.wire.operations import operation
from clawgw.wire.request import EmbeddingsRequest


@define(eq=False)
class Journey:
    """`random` gives numbers in [0, 1)."""

    prompt: Prompt
    arrival: Arrival
    settlement: Settlement
    random: Callable[[], float] = field(repr=False)
    _planned_at: float = field(init=False, default=0.0)
    """When its targets were looked at; this and the deadline are seconds of the engine's clock."""
    _deadline: float = field(init=False, default=0.0)
    _failover_after_s: float = field(init=False, default=0.0)
    _tried: dict[str, set[int]] = field(init=False, factory=dict)
    """The keys tried, by provider."""
    _likely_model: str | None = field(init=False, default=None)
    _known: RequestFacts | None = field(init=False, default=None, repr=False)
    _allowance: Allowance | None = field(init=False, default=None)
    _place: Place | None = field(init=False, default=None)
    """Of the first attempt, before it begins."""

    async def run(self) -> Answer:
        """The first answer to commit. Raises `GatewayError`."""
        resolved = await self._resolved()
        self._likely_model = resolved.targets[0].model
        self._planned_at = trio.current_time()
        schedule = self._schedule(resolved)
        self._allowance = self._allowed(resolved)
        if self._allowance is not None:
            await self._open(self._allowance, [attempt.target for attempt in schedule.plan.attempts])
            self.settlement.allowance = self._allowance
        try:
            return await run_plan(schedule, self._enter)
        except AllFailed as failed:
            raise final_error(failed.failures) from None

    async def _resolved(self) -> Resolved:
        """What the request names, without targets that it cannot fit into."""
        live, request = self.arrival.live, self.prompt.request
        check_allowed(self.arrival.caller, request)
        resolved = live.resolve(request.model, self.settlement.opening.endpoint)
        self.settlement.route = resolved.route
        self._deadline = self.arrival.started + resolved.deadline_s
        if needs_no_count(self.prompt, resolved.window):
            return resolved
        return resolved.only(await live.tokens.with_room(self.prompt, resolved.targets, live.catalogue))

    def _allowed(self, resolved: Resolved) -> Allowance | None:
        """None: nothing limits the request."""
        arrival, request, tariff = self.arrival, self.prompt.request, self.settlement.tariff
        limiter, charges = arrival.live.limiter, arrival.live.planner.charges(self.facts, self._planned_at)
        if not charges and not limiter.has_any(arrival.caller, resolved.route, resolved.targets):
            return None
        expected = Expected(
            tariff.prompt_tokens,
            tariff.most_it_costs,
            max_tokens=request.max_tokens,
            answers=0 if isinstance(request, EmbeddingsRequest) else request.body.get("n") or 1,
        )
        expires_ms = int(resolved.deadline_s * 1000) + SLACK_MS
        return Allowance(limiter, arrival.request_id, arrival.caller, resolved.route, expected, expires_ms, charges)

    async def _open(self, allowance: Allowance, targets: Sequence[Target]) -> None:
        """Ask for the caller's limits, together with those of the first attempt if it has a place at its target."""
        first = targets[0]
        provider = self.arrival.live.providers[first.provider]
        if first.provider in allowance.limiter.limited:
            with suppress(WireError):  # which the attempt will meet as well
                self._place = provider.admit(first.model, set(), self._planned_at, streaming=self.prompt.request.stream)
        if self._place is None:
            await allowance.open(targets)
            return
        try:
            await allowance.open(targets, Entry(first, provider.key_name(self._place.key)))
        except BaseException:
            provider.withdraw(self._place)
            raise

    def _schedule(self, resolved: Resolved) -> Schedule:
        live = self.arrival.live
        self._failover_after_s = resolved.failover_after_s
        live.budgets.note_request(self._planned_at)
        return Schedule(
            plan=live.planner.plan(resolved, self, self._planned_at),
            retry=live.snapshot.settings.retry,
            max_attempts=resolved.max_attempts,
            deadline=self._deadline,
            random=self.random,
            spend=live.budgets.spend,
            silence_s=self._silence_s,
        )

    def _silence_s(self, target: Target) -> float:
        health = self.arrival.live.providers[target.provider].health
        p99_s = health.p99_s(target.model, self._planned_at, streaming=self.prompt.request.stream)
        return max(self._failover_after_s, p99_s or 0.0)

    def _enter(self, target: Target, trigger: Trigger) -> Attempt:
        live, request, now = self.arrival.live, self.prompt.request, self.arrival.now
        provider = live.providers[target.provider]
        attempt = Attempt(
            target,
            trigger,
            provider,
            operation(request, provider.codec, live.wire_target(target), now),
            request.stream,
            self._deadline,
            now,
            self._tried.setdefault(target.provider, set()),
            enter=self._allowance.enter if self._allowance and self._allowance.has_to_enter(target.provider) else None,
            charge=self.settlement.tariff.charge,
        )
        if self._place is not None:
            attempt.key, attempt.admission = self._place
            self._place = None
        self.settlement.attempts.append(attempt)
        return attempt

    def facts(self) -> RequestFacts:
        """As `planning.Asked`."""
        if self._known is None:
            self._known = self._facts_of_request()
        return self._known

    def _facts_of_request(self) -> RequestFacts:
        arrival = self.arrival
        return facts_of(
            self.prompt,
            self.settlement.opening.endpoint,
            request_id=arrival.request_id,
            caller=arrival.caller,
            headers=arrival.headers,
            now=arrival.now,
            likely_model=self._likely_model,
        )

    def dice(self) -> float:
        """As `planning.Asked`."""
        return random_of(self.arrival.request_id)

    def seen(self, base: TargetView, *, steady: bool) -> TargetView:
        """As `planning.Asked`."""
        live, streaming = self.arrival.live, self.prompt.request.stream
        health, remaining = live.providers[base.target.provider].health, live.limiter.remaining_ratio
        return health.view(base, self._planned_at, streaming=streaming, steady=steady, remaining=remaining)
