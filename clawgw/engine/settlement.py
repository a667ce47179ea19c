"""What a request comes to: everything its record needs, gathered as it happens and handed over once."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import trio
from attrs import define, field

from clawgw.config.callers import Caller
from clawgw.engine.attempt import Attempt
from clawgw.engine.seen import Estimate, Used
from clawgw.errors import ClientClosed, GatewayError
from clawgw.ledger.cost import bill
from clawgw.ledger.record import AttemptRecord, Ledger, Listener, Outcome, RequestRecord
from clawgw.limits.allowance import Allowance
from clawgw.limits.levels import Demand
from clawgw.policy import Target
from clawgw.routing.prices import Prices, nano_dollars


@define(eq=False)
class Settlement:
    """One request's account. `started` is `trio.current_time()`, `now` Unix seconds at that moment."""

    request_id: str
    client_request_id: str | None
    endpoint: str
    stream: bool
    caller: Caller
    user: str | None
    metadata: Mapping[str, str]
    config_version: str
    started: float
    now: float
    prices: Prices = field(repr=False)
    estimate: Estimate = field(repr=False)
    learn: Callable[[Target, int], None] = field(repr=False)
    """Told what a target has reported as the prompt's tokens."""
    listener: Listener
    ledger: Ledger | None = None
    """Where the request is written down, once it is there."""
    route: str | None = None
    allowance: Allowance | None = None
    attempts: list[Attempt] = field(factory=list)
    winner: Attempt | None = None
    stream_waited_s: float = 0.0
    _settled: bool = False

    def sent(self) -> Sequence[Attempt]:
        """The attempts for which something was sent; a target that cannot or must not be asked was never called."""
        return [attempt for attempt in self.attempts if attempt.was_sent]

    def used(self) -> Used | None:
        """What the answer has used. Where there is none, what the first attempt has that has to be charged for."""
        charged = (attempt.used(self.estimate) for attempt in ([self.winner] if self.winner else self.sent()))
        return next(filter(None, charged), None)

    def cost_pico(self) -> int | None:
        """What all attempts have cost as far as that is known, in pico-dollars."""
        return _total(self._cost(attempt, attempt.used(self.estimate)) for attempt in self.sent())

    def account(self, attempt: Attempt) -> Demand:
        """What one attempt counts for at its provider's limits."""
        used = attempt.used(self.estimate)
        return _demand(used, self._cost(attempt, used), sent=attempt.was_sent)

    def intend(self, ledger: Ledger) -> None:
        """Write down that the request begins, and in the end what it came to. Raises `LogSpoolFull`."""
        ledger.intend(self._record("unknown", 0, None))
        self.ledger = ledger

    def succeed(self) -> None:
        """The client has its whole answer."""
        used = self.used()
        if self.winner is not None and used is not None and used.source == "reported":
            self.learn(self.winner.target, used.usage.prompt)
        self._settle("ok", 200, None)

    def fail(self, error: GatewayError) -> None:
        """The client got an error, in place of an answer or within its stream."""
        self._settle("error", error.status, error.code)

    def cancel(self) -> None:
        """The client left, or the gateway stopped."""
        self._settle("cancelled", ClientClosed.status, ClientClosed.code)

    def _settle(self, outcome: Outcome, status: int, error_code: str | None) -> None:
        if not self._settled:
            self._settled = True
            if self.allowance is not None:
                self.allowance.settle(_demand(self.used(), self.cost_pico(), sent=bool(self.sent())))
            record = self._record(outcome, status, error_code)
            self.listener.request_ended(record)
            if self.ledger is not None:
                self.ledger.request_ended(record)

    def _record(self, outcome: Outcome, status: int, error_code: str | None) -> RequestRecord:
        used, target = self.used(), self._deciding.target if self._deciding else None
        usage = used.usage if used else None
        attempts = tuple(map(self._attempt_record, self.sent()))
        return RequestRecord(
            request_id=self.request_id,
            client_request_id=self.client_request_id,
            at_ms=math.floor(self.now * 1000),
            endpoint=self.endpoint,
            key=self.caller.name,
            labels=self.caller.labels,
            route=self.route,
            stream=self.stream,
            user=self.user,
            metadata=self.metadata,
            config_version=self.config_version,
            outcome=outcome,
            status=status,
            error_code=error_code,
            provider=target.provider if target else None,
            model=target.model if target else None,
            finish_reason=self.winner.seen.finish_reason if self.winner else None,
            prompt_tokens=usage.prompt if usage else None,
            cached_tokens=usage.cached if usage else None,
            completion_tokens=usage.completion if usage else None,
            reasoning_tokens=usage.reasoning if usage else None,
            usage_source=used.source if used else None,
            cost_pico=_total(attempt.cost_pico for attempt in attempts),
            first_token_ms=self._ms(self.winner.first_token) if self.winner else None,
            duration_ms=self._since(trio.current_time()),
            upstream_ms=self._upstream_ms(),
            attempts=attempts,
        )

    def _attempt_record(self, attempt: Attempt) -> AttemptRecord:
        used = attempt.used(self.estimate)
        return AttemptRecord(
            target=attempt.target,
            trigger=attempt.trigger,
            started_ms=self._since(attempt.started),
            first_token_ms=self._ms(attempt.first_token),
            ended_ms=self._since(trio.current_time() if attempt.ended is None else attempt.ended),
            outcome=attempt.outcome,
            status=attempt.status,
            error_code=attempt.failure.kind.value if attempt.failure else None,
            prompt_tokens=used.usage.prompt if used else None,
            completion_tokens=used.usage.completion if used else None,
            usage_source=used.source if used else None,
            cost_pico=self._cost(attempt, used),
        )

    def _cost(self, attempt: Attempt, used: Used | None) -> int | None:
        return None if used is None else bill(used.usage, attempt.target, self.prices, self.now)

    @property
    def _deciding(self) -> Attempt | None:
        return self.winner or (self.attempts[-1] if self.attempts else None)

    def _upstream_ms(self) -> float:
        """From the first attempt's start to the deciding one's, which others were waited for, and its own waiting."""
        last = self._deciding
        if last is None:
            return 0.0
        return (last.started - self.attempts[0].started + last.waited_s + self.stream_waited_s) * 1000

    def _ms(self, time: float | None) -> float | None:
        return None if time is None else self._since(time)

    def _since(self, time: float) -> float:
        return (time - self.started) * 1000


def _demand(used: Used | None, cost_pico: int | None, *, sent: bool) -> Demand:
    tokens = used.usage.prompt + used.usage.completion if used else 0
    return Demand(tokens, nano_dollars(cost_pico or 0), requests=int(sent))


def _total(costs: Iterable[int | None]) -> int | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None
