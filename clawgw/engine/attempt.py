"""One try at one target: build, send, read up to the commit point.

The commit point is a whole valid body, or a stream's first delta that holds something. Before it, everything that goes
wrong is a `WireError` and what was opened is closed; after it, the answer belongs to whoever got it. What has come so
far is kept in the attempt and its exchange, not on the stack, so that waiting can stop and go on.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import trio
from attrs import define, evolve, field

from clawgw.engine.charged import UNCHARGED, Charged
from clawgw.engine.incoming import Incoming, IncomingCompletion, IncomingError, IncomingStream
from clawgw.engine.provider import LiveProvider
from clawgw.engine.seen import CountPrompt, Seen, Used
from clawgw.engine.stream import OpenStream
from clawgw.engine.upstream import AnswerHead, Exchange
from clawgw.ledger.record import AttemptOutcome
from clawgw.limits.limiter import Reservation
from clawgw.policy import Target, Trigger
from clawgw.routing.keys import ASIDE_S
from clawgw.routing.target_health import Admission
from clawgw.wire.codec import Completion
from clawgw.wire.failure import Failure, Kind, WireError
from clawgw.wire.operations import Operation

Enter = Callable[[Target, str | None], Awaitable[Reservation | None]]


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

    `tried` holds the keys that this request has tried at this provider; its attempts share it. `key` and `admission`
    may be given before it begins. `enter` reserves of the provider's limits, and raises `WireError` where they are used
    up; `charge` says in the end what the attempt has come to.
    """

    target: Target
    trigger: Trigger
    provider: LiveProvider
    operation: Operation
    streaming: bool
    deadline: float
    now: float
    tried: set[int] = field(repr=False)
    enter: Enter | None = field(default=None, repr=False)
    charge: Callable[["Attempt"], Charged] = field(default=lambda _: UNCHARGED, repr=False)
    started: float = field(factory=trio.current_time)
    ended: float | None = None
    first_token: float | None = None
    waited_s: float = 0.0
    """Spent waiting for the upstream; the rest of a request's time is the gateway's own."""
    outcome: AttemptOutcome = "cancelled"
    key: int | None = None
    admission: Admission | None = field(default=None, repr=False)
    reservation: Reservation | None = field(default=None, repr=False)
    status: int | None = None
    failure: Failure | None = None
    dropped: Sequence[str] = ()
    seen: Seen = field(factory=Seen, repr=False)
    exchange: Exchange | None = field(default=None, repr=False)
    incoming: Incoming | None = field(default=None, repr=False)
    _charged: Charged | None = field(default=None, repr=False)

    @property
    def charged(self) -> Charged:
        """What it has come to, when it has ended. To tell that may take some counting: not while others wait for it."""
        if self._charged is None:
            self._charged = self.charge(self)
        return self._charged

    @property
    def heard(self) -> bool:
        """Whether any byte of an answer has come."""
        return self.status is not None

    @property
    def was_sent(self) -> bool:
        """Whether anything was sent, or might have been; a target that cannot or must not be asked was never called."""
        return self.failure is None or self.failure.sent

    @property
    def other_key(self) -> bool:
        """Whether the provider has a key that this request has not tried."""
        return self.key is not None and self.provider.has_other_key(self.target.model, self.tried | {self.key})

    def used(self, count_prompt: CountPrompt) -> Used | None:
        """What it has to be charged for. None: nothing, since its request was not sent as a whole, or was refused."""
        if self.outcome != "won" and (self._is_refused or self.exchange is None or not self.exchange.written):
            return None
        return self.seen.used(count_prompt)

    async def run(self) -> Answer:
        """The committed answer. Raises `WireError`; what was opened is closed then."""
        answer = await self.run_until(math.inf)
        assert answer is not None  # noqa: S101  # that time does not come
        return answer

    async def run_until(self, time: float) -> Answer | None:
        """The committed answer. None: `time` has come first, or it cannot be waited for in parts; `run` goes on.

        Raises `WireError`; what was opened is closed then. Who is cancelled here calls `abort`.
        """
        try:
            exchange = self.exchange or await self._begin()
            if time < math.inf and not exchange.resumable:
                return None
            return await self._answer(exchange, time)
        except WireError as error:
            failure = self.note_failure(error.failure)
            self.abort()
            raise WireError(failure) from None

    def abort(self) -> None:
        """Close what is open before there is an answer, and end the attempt. Harmless when it is over."""
        if self.exchange is not None:
            self.exchange.abort()
        self.end()

    def lost(self) -> None:
        """Another attempt's answer came first, in the same tick."""
        self.outcome = "lost"

    def end(self, now: float | None = None) -> None:
        """The attempt is over, once and for all. `now` None: whoever calls has not looked at the clock."""
        if self.ended is None:
            self.ended = trio.current_time() if now is None else now
            self.incoming = None  # which may know this attempt
            self.provider.in_flight -= 1
            if self.admission is not None:
                self.admission.end(self.ended)
            if self.reservation is not None:
                self.reservation.settle(self.charged.demand(sent=self.was_sent))

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
        elif self.key is not None and failure.kind is Kind.KEY_OVER_LIMIT:
            self.tried.add(self.key)
        self.outcome = "failed"
        self.failure = failure
        return failure

    async def _begin(self) -> Exchange:
        self.provider.in_flight += 1
        if self.admission is None:
            self.key, self.admission = self.provider.admit(
                self.target.model, self.tried, self.started, streaming=self.streaming
            )
        if self.enter is not None:
            self.reservation = await self.enter(self.target, self.provider.key_name(self.key))
        request = self.operation.build()
        self.dropped = request.dropped
        self.exchange = self.provider.upstream.open(self.provider.call(request, self.key))
        return self.exchange

    async def _answer(self, exchange: Exchange, time: float) -> Answer | None:
        timeouts = self.provider.ready.timeouts
        limit = min(self.deadline, self.started + (timeouts.first_token_s if self.streaming else timeouts.total_s))
        try:
            return await self._read(exchange, min(limit, time))
        except trio.TooSlowError:
            now = trio.current_time()
            if now < limit:
                return None
        raise WireError(Failure(Kind.TIMEOUT, f"no answer within {now - self.started:.1f} s"))

    async def _read(self, exchange: Exchange, until: float) -> Answer:
        since = trio.current_time()
        try:
            while since < until:
                if self.incoming is None:
                    self.incoming = self._expect(await exchange.head(until), exchange)
                data = await exchange.receive(until)
                now = trio.current_time()
                self.waited_s += now - since
                since = now
                answer = self.incoming.take(data, ended=exchange.ended)
                if answer is not None:
                    return self._committed(answer, now)
        except BaseException:
            self.waited_s += trio.current_time() - since
            raise
        raise trio.TooSlowError

    def _committed(self, answer: Completion | OpenStream, now: float) -> Answer:
        self.outcome, self.first_token = "won", now
        if self.admission is not None:
            self.admission.answered(now)
        self.provider.note_success(self.key)
        if isinstance(answer, OpenStream):
            return Answer(self, self.dropped, stream=answer)
        self.seen.note_completion(answer)
        self.end(now)
        return Answer(self, self.dropped, completion=answer)

    def _expect(self, head: AnswerHead, exchange: Exchange) -> Incoming:
        self.status = head.status
        if self._is_refused:
            return IncomingError(partial(self._parse_error, head))
        if not self.streaming:
            return IncomingCompletion(self.operation.parse)
        timeouts, parser = self.provider.ready.timeouts, self.operation.parser()
        deadline = self.started + timeouts.total_s
        opens = partial(OpenStream, exchange, parser, self.seen, idle_s=timeouts.idle_s, deadline=deadline)
        return IncomingStream(parser, self.seen, opens)

    def _parse_error(self, head: AnswerHead, body: bytes) -> Failure:
        failure = self.provider.codec.parse_error(head.status, head.headers, body, self.now)
        return evolve(failure, message=self.provider.redact(failure.message))

    @property
    def _is_refused(self) -> bool:
        return self.status is not None and not 200 <= self.status < 300
