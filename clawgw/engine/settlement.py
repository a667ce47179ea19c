"""What a request comes to: everything its record needs, gathered as it happens and handed over once."""

from collections.abc import Sequence
from typing import NamedTuple

import trio
from attrs import define, field

from clawgw.engine.arrival import Arrival
from clawgw.engine.attempt import Attempt
from clawgw.engine.charged import UNCHARGED, Charged
from clawgw.engine.tariff import Tariff
from clawgw.engine.transcript import Transcript
from clawgw.errors import ClientClosed, GatewayError
from clawgw.ledger.record import AttemptRecord, Ledger, Listener, Opening, Outcome, RequestRecord
from clawgw.limits.allowance import Allowance


class Bill(NamedTuple):
    """What a request has come to, with every attempt that was sent."""

    attempts: Sequence[AttemptRecord] = ()
    charged: Charged = UNCHARGED
    """Used by the answer, or, where there is none, by the first attempt that has to be charged for; the cost is that of
    all attempts, as far as it is known."""


Tokens = tuple[int | None, int | None, int | None, int | None]
"""Of the prompt, of that from a cache, of the answer, of that for reasoning."""

_NOTHING = Bill()
_NO_TOKENS: Tokens = None, None, None, None


@define(eq=False)
class Settlement:
    """One request's account."""

    arrival: Arrival
    tariff: Tariff
    opening: Opening
    listener: Listener
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

    @property
    def calls(self) -> int:
        """The attempts for which something was sent; a target that cannot or must not be asked was never called."""
        calls = 0
        for attempt in self.attempts:
            calls += attempt.was_sent
        return calls

    def intend(self, ledger: Ledger) -> None:
        """Write down that the request begins, and in the end what it came to. Raises `LogSpoolFull`."""
        ledger.intend(self.opening)
        self.ledger = ledger

    def succeed(self) -> None:
        """The client has its whole answer."""
        self._settle("ok", 200, None)
        used = self.bill.charged.used
        if self.winner is not None and used is not None and used.source == "reported":
            self.arrival.live.tokens.learn(self.tariff.prompt, self.winner.target, used.usage.prompt)

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
        now = trio.current_time()
        bill = self.bill = self._billed(now)
        if self.allowance is not None:
            self.allowance.settle(bill.charged.demand(sent=bool(bill.attempts)))
        record = self._record(outcome, status, error_code, now)
        self.listener.request_ended(record)
        if self.ledger is not None:
            self.ledger.request_ended(record)

    def _billed(self, now: float) -> Bill:
        records, used, total = [], None, None
        for attempt in self.attempts:
            attempt.end(now)
            if attempt.was_sent:
                records.append(_attempt_record(attempt, self.arrival.started, now))
                if used is None and self.winner in (None, attempt):
                    used = attempt.charged.used
                if attempt.charged.cost_pico is not None:
                    total = attempt.charged.cost_pico + (total or 0)
        return Bill(tuple(records), Charged(used, total))

    def _record(self, outcome: Outcome, status: int, error_code: str | None, now: float) -> RequestRecord:
        (attempts, (used, cost_pico)), winner, started = self.bill, self.winner, self.arrival.started
        deciding = winner or (self.attempts[-1] if self.attempts else None)
        provider, model = deciding.target if deciding else (None, None)
        usage, source = used or (None, None)
        tokens: Tokens = _NO_TOKENS
        if usage is not None:
            tokens = usage.prompt, usage.cached, usage.completion, usage.reasoning
        return RequestRecord(  # by place: by name takes three times as long
            *self.opening,
            outcome,
            status,
            (now - started) * 1000,
            self.route,
            error_code,
            provider,
            model,
            winner.seen.finish_reason if winner else None,
            *tokens,
            source,
            cost_pico,
            None,  # not from the cache
            _since(started, winner.first_token) if winner else None,
            self._upstream_ms(deciding) if deciding else 0.0,
            attempts,
            None if self.transcript is None else self.transcript.bodies(),
        )

    def _upstream_ms(self, deciding: Attempt) -> float:
        """From the first attempt's start to the deciding one's, which others were waited for, and its own waiting."""
        return (deciding.started - self.attempts[0].started + deciding.waited_s + self.stream_waited_s) * 1000


def _attempt_record(attempt: Attempt, started: float, now: float) -> AttemptRecord:
    """Of a request that has `started` then and ends `now`."""
    used, cost_pico = attempt.charged
    usage, source = used or (None, None)
    return AttemptRecord(
        attempt.target,
        attempt.trigger,
        (attempt.started - started) * 1000,
        ((now if attempt.ended is None else attempt.ended) - started) * 1000,
        attempt.outcome,
        _since(started, attempt.first_token),
        attempt.status,
        attempt.failure.kind.value if attempt.failure else None,
        usage.prompt if usage else None,
        usage.completion if usage else None,
        source,
        cost_pico,
        attempt.provider.key_name(attempt.key),
    )


def _since(started: float, time: float | None) -> float | None:
    return None if time is None else (time - started) * 1000
