"""One try at one target: build, send, read up to the commit point.

The commit point is a whole valid body, or a stream's first delta that holds something. Before it, everything that goes
wrong is a `WireError` and what was opened is closed; after it, the answer belongs to whoever got it.
"""

from collections.abc import Sequence

import trio
from attrs import define, evolve, field

from clawgw.engine.provider import LiveProvider
from clawgw.engine.stream import OpenStream
from clawgw.engine.upstream import UpstreamResponse
from clawgw.ledger.record import AttemptOutcome
from clawgw.policy import Target, Trigger
from clawgw.routing.health import Admission
from clawgw.routing.keys import ASIDE_S
from clawgw.wire.codec import Chunk, Completion, Done, Event, Failed, Failure, Kind, WireError
from clawgw.wire.operations import Operation

MAX_ERROR_BYTES = 64 * 1024
"""As much of an error's body as is read."""
MAX_BODY_BYTES = 64 * 1024 * 1024
"""The largest plain answer that is taken; images come as base64."""
MAX_PREAMBLE_BYTES = 64 * 1024
"""What a stream may send before its first delta that holds something."""


@define
class Answer:
    """A committed answer: a whole `completion`, or an open `stream`."""

    attempt: "Attempt"
    dropped: Sequence[str]
    completion: Completion | None = None
    stream: OpenStream | None = None

    def abort(self) -> None:
        """Close what is open, and the attempt with it."""
        if self.stream is not None:
            self.stream.abort()
        self.attempt.end()


@define(eq=False)
class Attempt:
    """What one attempt is doing and has done. Times are `trio.current_time()`; `now` is Unix seconds.

    `tried` holds the keys that this request has tried at this provider; its attempts share it.
    """

    target: Target
    trigger: Trigger
    provider: LiveProvider
    operation: Operation
    streaming: bool
    deadline: float
    now: float
    tried: set[int] = field(repr=False)
    started: float = field(factory=trio.current_time)
    heard: bool = False
    ended: float | None = None
    first_token: float | None = None
    waited_s: float = 0.0
    """Spent waiting for the upstream; the rest of a request's time is the gateway's own."""
    outcome: AttemptOutcome = "cancelled"
    key: int | None = None
    admission: Admission | None = field(default=None, repr=False)
    status: int | None = None
    failure: Failure | None = None

    @property
    def other_key(self) -> bool:
        """Whether the provider has a key that this request has not tried."""
        return self.key is not None and self.provider.has_other_key(self.target.model, self.tried | {self.key})

    async def run(self) -> Answer:
        """The committed answer. Raises `WireError`; what was opened is closed then."""
        self.provider.in_flight += 1
        try:
            self.key, self.admission = self.provider.admit(self.target.model, self.tried, streaming=self.streaming)
            answer = await self._answer(self.key)
        except WireError as error:
            failure = self.note_failure(error.failure)
            self.end()
            raise WireError(failure) from None
        except BaseException:
            self.end()
            raise
        self.outcome = "won"
        self.admission.answered(trio.current_time())
        self.provider.note_success(self.key)
        if answer.stream is None:
            self.end()
        return answer

    def lost(self) -> None:
        """Another attempt's answer came first, in the same tick."""
        self.outcome = "lost"

    def end(self) -> None:
        """The attempt is over, once and for all."""
        if self.ended is None:
            self.ended = trio.current_time()
            self.provider.in_flight -= 1
            if self.admission is not None:
                self.admission.end(self.ended)

    async def _answer(self, key: int | None) -> Answer:
        request = self.operation.build()
        timeouts = self.provider.ready.timeouts
        limit = timeouts.first_token_s if self.streaming else timeouts.total_s
        with trio.CancelScope(deadline=min(self.started + limit, self.deadline)):
            asked = trio.current_time()
            try:
                response = await self.provider.upstream.open(self.provider.call(request, key))
            finally:
                self.waited_s += trio.current_time() - asked
            try:
                return await self._read(response, request.dropped)
            except BaseException:
                response.abort()
                raise
        raise WireError(Failure(Kind.TIMEOUT, f"no answer within {trio.current_time() - self.started:.1f} s"))

    async def _read(self, response: UpstreamResponse, dropped: Sequence[str]) -> Answer:
        self.heard = True
        self.status = response.status
        if not 200 <= response.status < 300:
            body = await self._read_all(response, MAX_ERROR_BYTES, cut=True)
            response.abort()
            failure = self.provider.codec.parse_error(response.status, response.headers, body, self.now)
            raise WireError(evolve(failure, message=self.provider.redact(failure.message)))
        if self.streaming:
            return Answer(self, dropped, stream=await self._read_preamble(response))
        body = await self._read_all(response, MAX_BODY_BYTES)
        completion = self.operation.parse(body)
        self.first_token = trio.current_time()
        return Answer(self, dropped, completion=completion)

    async def _read_preamble(self, response: UpstreamResponse) -> OpenStream:
        parser = self.operation.parser()
        timeouts = self.provider.ready.timeouts
        preamble: list[Event] = []
        taken = 0
        while not _commits(preamble):
            data = await self._receive(response)
            taken += len(data)
            preamble += parser.feed(data) if data else parser.finish()
            if taken > MAX_PREAMBLE_BYTES and not _commits(preamble):
                raise WireError(Failure(Kind.TOO_LARGE, f"{MAX_PREAMBLE_BYTES} bytes of stream without any content"))
        self.first_token = trio.current_time()
        return OpenStream(response, parser, preamble, idle_s=timeouts.idle_s, deadline=self.started + timeouts.total_s)

    async def _read_all(self, response: UpstreamResponse, limit: int, *, cut: bool = False) -> bytes:
        pieces = bytearray()
        while data := await self._receive(response):
            pieces += data
            if len(pieces) > limit:
                if cut:
                    break
                raise WireError(Failure(Kind.TOO_LARGE, f"an answer of more than {limit} bytes"))
        return bytes(pieces[:limit])

    async def _receive(self, response: UpstreamResponse) -> bytes:
        asked = trio.current_time()
        try:
            return await response.receive()
        finally:
            self.waited_s += trio.current_time() - asked

    def note_failure(self, failure: Failure) -> Failure:
        """It has failed: before its answer, or in the middle of its stream. The failure, with what is known by now."""
        now = trio.current_time()
        if self.admission is not None:
            self.admission.failed(failure, now)
            if failure.kind is Kind.RATE_LIMITED:
                failure = evolve(failure, retry_after_s=self.admission.cooling_s(now))
        if self.key is not None and failure.kind in ASIDE_S:
            self.tried.add(self.key)
            self.provider.note_refused(self.key, failure)
        self.outcome = "failed"
        self.failure = failure
        return failure


def _commits(events: Sequence[Event]) -> bool:
    """Whether the commit point is among `events`. Raises `WireError` where the stream failed before it."""
    for event in events:
        match event:
            case Chunk(commits=True) | Done():
                return True
            case Failed(failure):
                raise WireError(failure)
            case _:
                continue
    return False
