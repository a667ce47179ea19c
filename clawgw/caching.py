"""The gateway with a cache before it: the same question has the same answer for a while, and is asked once at a time.

What comes from the cache calls nobody and costs nothing; limits and budgets are not asked for it. Whom a key does not
allow a model is refused as ever, before anything is looked up.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

import trio
from attrs import define, field, frozen

from clawgw.cache.directives import Directives, directives
from clawgw.cache.entry import Entry
from clawgw.cache.flights import PATIENCE_S, Flight, Flights
from clawgw.cache.key import key_of, may_be_cached, mode_of
from clawgw.cache.receipt import Receipt
from clawgw.cache.store import SHARE, AnswerStore
from clawgw.cached_streams import KeptStream, StoredStream
from clawgw.engine.arrival import Arrival
from clawgw.engine.attempt import Answer
from clawgw.engine.live import Live
from clawgw.errors import GatewayError
from clawgw.gateway import ENDPOINTS, Gateway, PlainAnswer, StreamAnswer, header_safe
from clawgw.routing.permission import check_allowed
from clawgw.routing.resolve import Resolved
from clawgw.wire.assemble import Assembly
from clawgw.wire.codec import Completion
from clawgw.wire.request import Request

Result = Literal["hit", "joined", "miss", "bypass"]
"""Found; brought by an equal request at the same time; not found; not looked up."""


@frozen
class _Question:
    request: Request
    arrival: Arrival
    resolved: Resolved
    key: bytes
    directives: Directives

    def takes(self, entry: Entry) -> bool:
        return self.arrival.now - entry.at <= self.directives.max_age_s


Answered = PlainAnswer | StreamAnswer | StoredStream | KeptStream


@define(eq=False)
class CachingGateway:
    """As `Gateway`, for the doors. `count` is told what came of each request."""

    gateway: Gateway
    store: AnswerStore
    count: Callable[[Result], None] = field(repr=False)
    _flights: Flights = field(init=False, factory=Flights)

    @property
    def live(self) -> Live:
        """The configuration for requests to come."""
        return self.gateway.live

    @live.setter
    def live(self, live: Live) -> None:
        self.gateway.live = live

    async def answer(self, request: Request, arrival: Arrival) -> Answered:
        """As `Gateway.answer`."""
        question = _question(request, arrival)
        if question is None:
            self.count("bypass")
            return await self.gateway.answer(request, arrival)
        if not question.directives.read:
            self.count("bypass")
            return await self._ask(question, Flight())
        receipt = self._receipt(question)
        try:
            found = await self._find(question, receipt)
        except BaseException:
            receipt.cancel()
            raise
        if isinstance(found, Flight):
            return await self._ask(question, found)
        stored = self._stored(question, found, receipt)
        await self.gateway.ledger.durable()
        return stored

    async def _find(self, question: _Question, receipt: Receipt) -> Entry | Flight:
        """The answer, or a flight for whoever has to ask."""
        patience_s = min(PATIENCE_S, question.resolved.deadline_s / 2)
        joined = await self._flights.join(question.key, patience_s)
        if isinstance(joined, Entry) and question.takes(joined):
            receipt.waited_s = trio.current_time() - question.arrival.started
            self.count("joined")
            return joined
        flight = Flight() if isinstance(joined, Entry) else joined
        try:
            entry = await self.store.get(question.key)
        except BaseException:
            flight.leave()
            raise
        if entry is None or not question.takes(entry):
            self.count("miss")
            return flight
        flight.land(entry)
        self.count("hit")
        return entry

    async def _ask(self, question: _Question, flight: Flight) -> PlainAnswer | KeptStream:
        try:
            answer = await self.gateway.answer(question.request, question.arrival)
        except GatewayError:
            flight.land(None)
            raise
        except BaseException:
            flight.leave()
            raise
        origin = answer.origin
        assert origin is not None  # noqa: S101  # somebody was called
        keep = partial(self._keep, question, flight, origin)
        if isinstance(answer, StreamAnswer):
            most = question.arrival.live.snapshot.settings.cache.max_bytes // SHARE
            stream = KeptStream(answer.headers, answer, Assembly(most), keep, flight.leave)
            answer.heard = stream.hear
            return stream
        keep(origin.completion)
        return answer

    def _keep(self, question: _Question, flight: Flight, origin: Answer, completion: Completion | None) -> None:
        entry = None
        if completion is not None:
            entry = Entry.of(completion, origin.attempt.target, origin.dropped, question.arrival.now)
            self.store.put(question.key, entry, question.arrival.live.snapshot.settings.cache.ttl_s)
        flight.land(entry)

    def _stored(self, question: _Question, entry: Entry, receipt: Receipt) -> PlainAnswer | StoredStream:
        headers = _headers(entry, question.arrival)
        if question.request.stream:
            return StoredStream(headers, entry, question.request.include_usage, receipt)
        receipt.succeed(entry)
        return PlainAnswer({**headers, "x-clawgw-cost-usd": "0"}, entry.body)

    def _receipt(self, question: _Question) -> Receipt:
        request, arrival = question.request, question.arrival
        return Receipt(
            arrival=arrival,
            opening=arrival.opening(request, ENDPOINTS[type(request)]),
            body=request.body,
            route=question.resolved.route,
            listener=self.gateway.listener,
            ledger=self.gateway.ledger,
        )


def _question(request: Request, arrival: Arrival) -> _Question | None:
    """None: the cache is nothing for this request. One that is wrong the gateway will refuse, and record."""
    live, endpoint, asked = arrival.live, ENDPOINTS[type(request)], directives(arrival.headers)
    try:
        check_allowed(arrival.caller, request)
        resolved = live.resolve(request.model, endpoint)
    except GatewayError:
        return None
    if not asked.keep or not may_be_cached(request) or mode_of(resolved, live.snapshot) == "off":
        return None
    key = key_of(request, endpoint, resolved, live.snapshot, arrival.caller, arrival.headers)
    return _Question(request, arrival, resolved, key, asked)


def _headers(entry: Entry, arrival: Arrival) -> dict[str, str]:
    headers = {
        "x-clawgw-provider": header_safe(entry.provider),
        "x-clawgw-model": header_safe(entry.model),
        "x-clawgw-attempts": "0",
        "x-clawgw-cache": "hit",
        "x-clawgw-config": arrival.live.snapshot.version,
    }
    return headers | ({"x-clawgw-dropped": ", ".join(entry.dropped)} if entry.dropped else {})
