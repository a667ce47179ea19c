"""The record of a request that called nobody: it was answered from the cache, or its client left while it waited."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson
import trio
from attrs import define, evolve, field

from clawgw.cache.entry import Entry
from clawgw.engine.arrival import Arrival
from clawgw.errors import ClientClosed, LogSpoolFull
from clawgw.ledger.record import Bodies, Ledger, Listener, Opening, RequestRecord


@define(eq=False)
class Receipt:
    """One request's account. Its cost is 0; its tokens are those that the answer was made of, as its client sees."""

    arrival: Arrival
    opening: Opening
    body: Mapping[str, Any] = field(repr=False)
    """The request's."""
    route: str | None
    listener: Listener
    ledger: Ledger
    waited_s: float = 0.0
    """Spent waiting for an answer that another request had asked for."""
    _settled: bool = False

    def succeed(self, entry: Entry) -> None:
        """The client has its whole answer. Raises `LogSpoolFull`: it must not get it."""
        used = entry.used()
        answered = evolve(
            self._record(),
            provider=entry.provider,
            model=entry.model,
            finish_reason=entry.finish_reason,
            prompt_tokens=used.prompt if used else None,
            cached_tokens=used.cached if used else None,
            completion_tokens=used.completion if used else None,
            reasoning_tokens=used.reasoning if used else None,
            usage_source="reported" if used else None,
            cost_pico=0,
            cache="hit",
        )
        self._settle(evolve(answered, first_token_ms=answered.duration_ms), entry)

    def cancel(self) -> None:
        """The client left, or the gateway stopped."""
        left = ClientClosed.status, ClientClosed.code
        with suppress(LogSpoolFull):  # the log of the process says so
            self._settle(evolve(self._record(), outcome="cancelled", status=left[0], error_code=left[1]))

    def _settle(self, record: RequestRecord, entry: Entry | None = None) -> None:
        if not self._settled:
            self._settled = True
            record = evolve(record, bodies=self._bodies(entry))
            self.ledger.request_ended(record)
            self.listener.request_started(self.opening.endpoint)
            self.listener.request_ended(record)

    def _bodies(self, entry: Entry | None) -> Bodies | None:
        keeper = self.arrival.live.bodies
        answer = None if keeper is None or entry is None else orjson.loads(entry.body)
        return None if keeper is None else keeper.keep(self.body, answer)

    def _record(self) -> RequestRecord:
        return RequestRecord(
            *self.opening,
            route=self.route,
            outcome="ok",
            status=200,
            duration_ms=(trio.current_time() - self.arrival.started) * 1000,
            upstream_ms=self.waited_s * 1000,
        )
