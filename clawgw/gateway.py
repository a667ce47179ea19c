"""One request end to end: model → targets → plan → attempts → answer → record.

The doors (HTTP now, others later) check a request and call `Gateway.answer`. What they get is a whole body or an open
stream of server-sent events. Whatever happens, the request ends in one record.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from urllib.parse import quote

import orjson
from attrs import define, evolve, field

from clawgw.engine.arrival import Arrival
from clawgw.engine.attempt import Answer
from clawgw.engine.journey import Journey
from clawgw.engine.live import Live
from clawgw.engine.settlement import Settlement
from clawgw.engine.stream import OpenStream
from clawgw.engine.tariff import Tariff
from clawgw.errors import GatewayError
from clawgw.fact import fact
from clawgw.ledger.record import Ledger, Listener, Unwritten
from clawgw.limits.words import limit_headers
from clawgw.routing.money import dollars_text
from clawgw.routing.outcome import stream_error
from clawgw.tokens.prompt import Prompt
from clawgw.wire.events import Done, Event, Failed
from clawgw.wire.request import ChatRequest, EmbeddingsRequest, Request, TextRequest
from clawgw.wire.writer import StreamWriter, error_event

ENDPOINTS: Mapping[type[Request], str] = {
    ChatRequest: "chat.completions",
    TextRequest: "completions",
    EmbeddingsRequest: "embeddings",
}


@fact
class PlainAnswer:
    """A whole answer; nothing is left open."""

    headers: Mapping[str, str]
    body: bytes
    origin: Answer | None = field(default=None, repr=False)
    """What it was made of; None: nobody was called for it."""


@define(eq=False)
class StreamAnswer:
    """A stream that has committed. Whoever got it calls `close`, always."""

    headers: Mapping[str, str]
    origin: Answer
    _stream: OpenStream
    _writer: StreamWriter
    _settlement: Settlement
    _ledger: Ledger
    heard: Callable[[Sequence[Event]], None] = field(default=lambda _: None, repr=False)
    """Told of all events, just before they go to the client."""

    @property
    def ended(self) -> bool:
        """Whether the last events have been received."""
        return self._stream.ended

    async def receive(self) -> bytes:
        """The next server-sent events, as many as one upstream read brought; b"" after the last, which is a goodbye.

        What ends the stream comes by itself. A failure upstream arrives as an error event, without `[DONE]`. Raises
        `LogSpoolFull`.
        """
        while not self._stream.ended:
            events = await self._stream.receive()
            self.heard(events)
            if self._settlement.transcript is not None:
                self._settlement.transcript.take(events)
            written = self._written(events)
            if self._stream.ended:
                await self._ledger.durable()
            if written:
                return written
        await self._stream.say_goodbye()
        return b""

    def close(self) -> None:
        """End the request; where the stream is not at its end, the client has left and the upstream is aborted."""
        self.origin.abort()
        self._settle_times()
        self._settlement.cancel()

    def _written(self, events: Sequence[Event]) -> bytes:
        """The client's bytes. The record is written before the last of them leaves."""
        match events[-1]:
            case Done():
                self._settle_times()
                self._settlement.succeed()
            case Failed(failure):
                attempt = self.origin.attempt
                failure = evolve(failure, message=attempt.provider.redact(failure.message))
                attempt.note_failure(failure)
                error = stream_error(attempt.target, failure)
                self._settle_times()
                self._settlement.fail(error)
                return self._writer.write(events[:-1]) + error_event(error.body(self._settlement.arrival.request_id))
        return self._writer.write(events)

    def _settle_times(self) -> None:
        self.origin.attempt.end()
        self._settlement.stream_waited_s = self._stream.waited_s


@define(eq=False)
class Gateway:
    """Serves checked requests; `live` is for those to come. `random` gives numbers in [0, 1)."""

    live: Live
    listener: Listener
    random: Callable[[], float] = field(repr=False)
    ledger: Ledger = field(factory=Unwritten)

    async def answer(self, request: Request, arrival: Arrival) -> PlainAnswer | StreamAnswer:
        """Serve one request. Raises `GatewayError`. Cancelling it aborts every attempt and is recorded as a 499."""
        prompt = Prompt(request)
        settlement = self._open_settlement(prompt, arrival)
        journey = Journey(prompt, arrival, settlement, self.random)
        try:
            settlement.intend(self.ledger)
            answer = await journey.run()
        except GatewayError as error:
            settlement.fail(error)
            raise
        except BaseException:
            settlement.cancel()
            raise
        settlement.winner = answer.attempt
        headers = self._headers(answer, settlement)
        if answer.stream is not None:
            writer = StreamWriter(include_usage=request.include_usage)
            return StreamAnswer(headers, answer, answer.stream, writer, settlement, self.ledger)
        return await self._plain(answer, headers, settlement)

    def _open_settlement(self, prompt: Prompt, arrival: Arrival) -> Settlement:
        request, bodies = prompt.request, arrival.live.bodies
        endpoint = ENDPOINTS[type(request)]
        self.listener.request_started(endpoint)
        transcript = None if bodies is None else bodies.transcript(request.body)
        return Settlement(
            arrival, Tariff(prompt, arrival), arrival.opening(request, endpoint), self.listener, transcript
        )

    async def _plain(self, answer: Answer, headers: dict[str, str], settlement: Settlement) -> PlainAnswer:
        completion = answer.completion
        assert completion is not None  # noqa: S101  # an answer holds a stream or a completion
        body = orjson.dumps(completion.body)
        if settlement.transcript is not None:
            settlement.transcript.answer(completion.body)
        settlement.succeed()
        await self.ledger.durable()
        cost = settlement.bill.charged.cost_pico
        if cost is not None:
            headers["x-clawgw-cost-usd"] = dollars_text(cost)
        return PlainAnswer(headers, body, answer)

    def _headers(self, answer: Answer, settlement: Settlement) -> dict[str, str]:
        target = answer.attempt.target
        headers = {
            "x-clawgw-provider": header_safe(target.provider),
            "x-clawgw-model": header_safe(target.model),
            "x-clawgw-attempts": str(settlement.calls),
            "x-clawgw-config": settlement.arrival.live.snapshot.version,
        }
        if settlement.allowance is not None:
            headers |= limit_headers(settlement.allowance.standings)
        if answer.dropped:
            headers["x-clawgw-dropped"] = ", ".join(answer.dropped)
        return headers


@lru_cache(maxsize=1024)
def header_safe(value: str) -> str:
    """A name as it may stand in a header: printable ASCII, the rest percent-encoded."""
    return quote(value, safe=" !#$&'()*+,/:;=?@[]-._~|{}<>^`\"\\")
