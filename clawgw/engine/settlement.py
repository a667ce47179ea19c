"""What a request comes to: everything its record needs, gathered as it happens and handed over once."""

from collections.abc import Sequence
from typing import NamedTuple

import trio
from attrs import define, field

from clawgw.engine.arrival import Arrival, Opening
from clawgw.engine.attempt import Attempt
from clawgw.engine.seen import Used
from clawgw.engine.tariff import Tariff, demand
from clawgw.engine.transcript import Transcript
from clawgw.errors import ClientClosed, GatewayError
from clawgw.ledger.record import AttemptRecord, Ledger, Listener, Outcome, RequestRecord
from clawgw.limits.allowance import Allowance
from clawgw.tokens.prompt import Prompt


class Item(NamedTuple):
    """What one attempt has come to, which was sent."""

    attempt: Attempt
    used: Used | None
    cost_pico: int | None


class Bill(NamedTuple):
    """What a request has come to. Costs are in pico-dollars; None: nobody knows."""

    items: Sequence[Item] = ()
    used: Used | None = None
    """By the answer; where there is none, by the first attempt that has to be charged for."""
    cost_pico: int | None = None
    """Of all attempts, as far as that is known."""


_NOTHING = Bill()


@define(eq=False)
class Settlement:
    """One request's account."""

    prompt: Prompt
    arrival: Arrival
    opening: Opening
    listener: Listener
    tariff: Tariff = field(init=False)
    transcript: Transcript | None = None
    """None: what is said is not logged."""
    ledger: Ledger | None = None
    """Where the request is written down, once it is there."""
    route: str | None = None
    allowance: Allowance | None = None
    attempts: list[Attempt] = field(factory=list)
    winner: Attempt | None = None
    stream_waited_s: float = 0.0
    bill: Bill = _NOTHING
    """Made out in the end."""
    _settled: bool = False

    @tariff.default
    def _tariff(self) -> Tariff:
        return Tariff(self.prompt, self.arrival)

    def sent(self) -> Sequence[Attempt]:
        """The attempts for which something was sent; a target that cannot or must not be asked was never called."""
        return [attempt for attempt in self.attempts if attempt.was_sent]

    def intend(self, ledger: Ledger) -> None:
        """Write down that the request begins, and in the end what it came to. Raises `LogSpoolFull`."""
        ledger.intend(RequestRecord(**self.opening, outcome="unknown", status=0, duration_ms=0.0))
        self.ledger = ledger

    def succeed(self) -> None:
        """The client has its whole answer."""
        self._settle("ok", 200, None)
        used = self.bill.used
        if self.winner is not None and used is not None and used.source == "reported":
            self.arrival.live.tokens.learn(self.prompt, self.winner.target, used.usage.prompt)

    def fail(self, error: GatewayError) -> None:
        """The client got an error, in place of an answer or within its stream."""
        if self.transcript is not None:
            self.transcript.fail(error.body(self.arrival.request_id))
        self._settle("error", error.status, error.code)

    def cancel(self) -> None:
        """The client left, or the gateway stopped."""
        self._settle("cancelled", ClientClosed.status, ClientClosed.code)

    def _settle(self, outcome: Outcome, status: int, error_code: str | None) -> None:
        if self._settled:
            return
        self._settled = True
        bill = self.bill = self._billed()
        if self.allowance is not None:
            self.allowance.settle(demand(bill.used, bill.cost_pico, sent=bool(bill.items)))
        record = self._record(outcome, status, error_code, bill)
        self.listener.request_ended(record)
        if self.ledger is not None:
            self.ledger.request_ended(record)

    def _billed(self) -> Bill:
        items, charged, total = [], None, None
        for attempt in self.attempts:
            if not attempt.was_sent:
                continue
            used = self.tariff.used(attempt)
            cost_pico = self.tariff.cost(attempt, used)
            items.append(Item(attempt, used, cost_pico))
            if charged is None and self.winner in (None, attempt):
                charged = used
            if cost_pico is not None:
                total = cost_pico + (total or 0)
        return Bill(items, charged, total)

    def _record(self, outcome: Outcome, status: int, error_code: str | None, bill: Bill) -> RequestRecord:
        now, started = trio.current_time(), self.arrival.started
        winner, used = self.winner, bill.used
        deciding = winner or (self.attempts[-1] if self.attempts else None)
        usage = used.usage if used else None
        return RequestRecord(
            **self.opening,
            route=self.route,
            outcome=outcome,
            status=status,
            error_code=error_code,
            provider=deciding.target.provider if deciding else None,
            model=deciding.target.model if deciding else None,
            finish_reason=winner.seen.finish_reason if winner else None,
            prompt_tokens=usage.prompt if usage else None,
            cached_tokens=usage.cached if usage else None,
            completion_tokens=usage.completion if usage else None,
            reasoning_tokens=usage.reasoning if usage else None,
            usage_source=used.source if used else None,
            cost_pico=bill.cost_pico,
            first_token_ms=_ms(started, winner.first_token) if winner else None,
            duration_ms=(now - started) * 1000,
            upstream_ms=self._upstream_ms(deciding) if deciding else 0.0,
            attempts=tuple([_attempt_record(item, started, now) for item in bill.items]),
            bodies=None if self.transcript is None else self.transcript.bodies(),
        )

    def _upstream_ms(self, deciding: Attempt) -> float:
        """From the first attempt's start to the deciding one's, which others were waited for, and its own waiting."""
        return (deciding.started - self.attempts[0].started + deciding.waited_s + self.stream_waited_s) * 1000


def _attempt_record(item: Item, started: float, now: float) -> AttemptRecord:
    """Of a request that has `started` then and ends `now`."""
    attempt, used = item.attempt, item.used
    usage = used.usage if used else None
    return AttemptRecord(
        target=attempt.target,
        trigger=attempt.trigger,
        started_ms=(attempt.started - started) * 1000,
        first_token_ms=_ms(started, attempt.first_token),
        ended_ms=((now if attempt.ended is None else attempt.ended) - started) * 1000,
        outcome=attempt.outcome,
        status=attempt.status,
        error_code=attempt.failure.kind.value if attempt.failure else None,
        prompt_tokens=usage.prompt if usage else None,
        completion_tokens=usage.completion if usage else None,
        usage_source=used.source if used else None,
        cost_pico=item.cost_pico,
        provider_key=attempt.provider.key_name(attempt.key),
    )


def _ms(started: float, time: float | None) -> float | None:
    return None if time is None else (time - started) * 1000
