"""One attempt in virtual time, over a tiny format of its own: lines `+text`, `.` the end, `!` an error."""

from collections.abc import Mapping, Sequence

import pytest
import trio
from attrs import define
from trio.testing import MockClock

from clawgw.config.snapshot import ReadyProvider, Secret
from clawgw.config.tables.attempts import Breaker
from clawgw.config.tables.providers import Timeouts
from clawgw.engine import incoming
from clawgw.engine.attempt import Answer, Attempt
from clawgw.engine.charged import Charged
from clawgw.engine.provider import LiveProvider
from clawgw.policy import Target
from clawgw.wire.codec import Completion, UpstreamRequest
from clawgw.wire.events import Chunk, Done, Event, Failed, Passage, unfold
from clawgw.wire.failure import Failure, Kind, WireError
from tests.scripted_upstream import SILENT, Refusal, Reply, ScriptedUpstream, refused

TARGET = Target("p", "m")


@define
class LineParser:
    buffer: bytes = b""
    over: bool = False

    def feed(self, data: bytes) -> list[Event]:
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        return [event for line in lines for event in self._event(line)]

    def _event(self, line: bytes) -> list[Event]:
        if self.over:
            return []
        self.over = line[:1] in b".!"
        if line.startswith(b"*"):
            return [Passage(b'{"text":%b}', [b'"a"'], ["a"])]
        if line.startswith(b"+"):
            return [Chunk({"text": line[1:].decode()}, commits=len(line) > 1)]
        return [Done()] if line == b"." else [Failed(Failure(Kind.SERVER, "overloaded"))]

    def finish(self) -> list[Event]:
        return [] if self.over else [Failed(Failure(Kind.RESET, "the stream ended too soon"))]


class LineOperation:
    def build(self) -> UpstreamRequest:
        return UpstreamRequest("/lines", b"{}", {"x-codec": "1"}, dropped=("seed",))

    def parse(self, body: bytes) -> Completion:
        if body != b"good":
            raise WireError(Failure(Kind.INVALID, "not good"))
        return Completion({"ok": True}, None)

    def parser(self) -> LineParser:
        return LineParser()


@define
class LineCodec:
    """As much of a codec as an attempt uses."""

    name: str = "lines"

    def auth_headers(self, key: str) -> Mapping[str, str]:
        return {"authorization": f"Bearer {key}"}

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes, now: float) -> Failure:
        kind = {401: Kind.AUTH, 402: Kind.QUOTA}.get(status, Kind.SERVER)
        return Failure(kind, body.decode(), status=status)


def live(upstream: ScriptedUpstream, keys: Sequence[str] = ("k0-secret",), **timeouts: float) -> LiveProvider:
    ready = ReadyProvider(
        name="p",
        wire="openai",
        base_url="https://p.example/v1",
        keys=tuple(map(Secret, keys)),
        timeouts=Timeouts(**timeouts),
        headers={"x-configured": "1"},
    )
    codec = LineCodec()
    return LiveProvider.of(
        ready,
        codec,  # type: ignore[arg-type]  # a part of a codec
        upstream,
        breaker=Breaker(),
        random=lambda: 0.5,
        own_headers={"via": "1.1 me"},
    )


def attempt(provider: LiveProvider, *, streaming: bool = True, deadline: float = 600.0) -> Attempt:
    return Attempt(
        target=TARGET,
        trigger="primary",
        provider=provider,
        operation=LineOperation(),
        streaming=streaming,
        deadline=trio.current_time() + deadline,
        now=0.0,
        tried=set(),
    )


async def failure_of(one: Attempt) -> Failure:
    with pytest.raises(WireError) as caught:
        await one.run()
    return caught.value.failure


async def test_what_it_has_come_to_is_worked_out_once_and_not_before_somebody_asks(autojump_clock: MockClock) -> None:
    one, asked = attempt(live(ScriptedUpstream(lambda _: Reply(500, [b"down"])))), list[Attempt]()
    charged = Charged(None, 7)

    def charge(of: Attempt) -> Charged:
        asked.append(of)
        return charged

    one.charge = charge
    await failure_of(one)
    assert one.ended is not None
    assert asked == []  # to count a prompt takes its time, and the next attempt waits for nothing else
    assert (one.charged, one.charged, len(asked)) == (charged, charged, 1)


async def rest(answer: Answer) -> list[Event]:
    assert answer.stream is not None
    events: list[Event] = []
    while not answer.stream.ended:
        events += await answer.stream.receive()
    return events


@pytest.mark.parametrize("framed", [False, True])
async def test_a_plain_answer(autojump_clock: MockClock, *, framed: bool) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(body=[b"go", 2.0, b"od"], delay=1.0, framed=framed))
    provider = live(upstream)
    one = attempt(provider, streaming=False)
    answer = await one.run()
    assert answer.completion == Completion({"ok": True}, None)
    assert answer.dropped == ("seed",)
    assert (one.outcome, one.status, one.heard, one.waited_s) == ("won", 200, True, 3.0)
    assert provider.in_flight == 0
    assert upstream.left_open() == 0


async def test_what_is_sent(autojump_clock: MockClock) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(body=[b"good"]))
    await attempt(live(upstream), streaming=False).run()
    [(_, call)] = upstream.calls
    assert call.url == "https://p.example/v1/lines"
    assert call.headers == {
        "via": "1.1 me",
        "x-codec": "1",
        "x-configured": "1",
        "authorization": "Bearer k0-secret",
    }
    assert call.body == b"{}"
    assert call.to.connect_s == 1.5


async def test_calls_of_one_key_go_to_the_same_destination(autojump_clock: MockClock) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(body=[b"good"]))
    provider = live(upstream, keys=("k0", "k1"))
    for _ in range(4):
        await attempt(provider, streaming=False).run()
    first, second, third, fourth = [call.to for _, call in upstream.calls]
    assert first is third
    assert second is fourth
    assert (first.headers["authorization"], second.headers["authorization"]) == ("Bearer k0", "Bearer k1")


async def test_a_provider_without_keys_is_called_without_one(autojump_clock: MockClock) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(body=[b"good"]))
    await attempt(live(upstream, keys=()), streaming=False).run()
    assert "authorization" not in upstream.calls[0][1].headers


async def test_a_stream_is_returned_at_its_first_content_with_all_that_came_before(autojump_clock: MockClock) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(body=[b"+\n", 1.0, b"+a\n+b\n", 5.0, b"+c\n.\n"]))
    provider = live(upstream)
    one = attempt(provider)
    answer = await one.run()
    assert trio.current_time() == one.first_token == one.started + 1.0
    assert provider.in_flight == 1
    events = await rest(answer)
    texts = [event.body["text"] for event in events if isinstance(event, Chunk)]
    assert (texts, events[-1]) == (["", "a", "b", "c"], Done())
    assert answer.stream is not None
    assert answer.stream.waited_s == 5.0
    await answer.stream.say_goodbye()
    answer.abort()
    assert (provider.in_flight, upstream.left_open(), one.ended) == (0, 0, one.started + 6.0)


async def test_a_passage_is_content(autojump_clock: MockClock) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(body=[b"+\n", 1.0, b"*\n", 5.0, b".\n"]))
    one = attempt(live(upstream))
    answer = await one.run()
    assert trio.current_time() == one.started + 1.0
    assert list(unfold(await rest(answer))) == [
        Chunk({"text": ""}, commits=False),
        Chunk({"text": "a"}, commits=True),
        Done(),
    ]


async def test_a_stream_that_ends_without_content_is_an_answer(autojump_clock: MockClock) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(body=[b"+\n.\n"]))
    answer = await attempt(live(upstream)).run()
    assert (await rest(answer))[-1] == Done()


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refused(), Kind.CONNECT),
        (Reply(500, [b"down"]), Kind.SERVER),
        (Reply(body=[b"+\n!\n"]), Kind.SERVER),
        (Reply(body=[b"+\n"]), Kind.RESET),
        (Reply(body=[b"+\n", Failure(Kind.RESET, "reset")]), Kind.RESET),
        (Reply(body=[b"+\n" * 40_000]), Kind.TOO_LARGE),
        (SILENT, Kind.TIMEOUT),
        (Reply(body=[b"+\n", 61.0, b"+a\n"]), Kind.TIMEOUT),
    ],
)
async def test_what_goes_wrong_before_the_commit_is_a_failure_and_nothing_stays_open(
    autojump_clock: MockClock, reply: Reply | Refusal, kind: Kind
) -> None:
    upstream = ScriptedUpstream(lambda _: reply)
    provider = live(upstream)
    one = attempt(provider)
    failure = await failure_of(one)
    assert failure.kind is kind
    assert (one.outcome, one.failure) == ("failed", failure)
    assert (upstream.left_open(), provider.in_flight) == (0, 0)


async def test_a_plain_answer_that_is_invalid(autojump_clock: MockClock) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(body=[b"bad"]))
    assert (await failure_of(attempt(live(upstream), streaming=False))).kind is Kind.INVALID
    assert upstream.left_open() == 0


async def test_a_plain_answer_over_the_cap(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "MAX_BODY_BYTES", 10)
    upstream = ScriptedUpstream(lambda _: Reply(body=[b"x" * 11, b"x"]))
    assert (await failure_of(attempt(live(upstream), streaming=False))).kind is Kind.TOO_LARGE
    assert upstream.left_open() == 0


async def test_of_an_endless_error_only_the_beginning_is_read(autojump_clock: MockClock) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(500, [b"x" * 50_000] * 1000))
    failure = await failure_of(attempt(live(upstream)))
    assert len(failure.message) == incoming.MAX_ERROR_BYTES
    assert upstream.left_open() == 0


async def test_a_plain_call_has_the_total_time_and_a_stream_the_time_to_its_first_token(
    autojump_clock: MockClock,
) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(body=[b"good"], delay=100.0))
    provider = live(upstream)
    assert (await attempt(provider, streaming=False).run()).completion is not None
    started = trio.current_time()
    assert (await failure_of(attempt(provider))).kind is Kind.TIMEOUT
    assert trio.current_time() - started == 60.0
    assert upstream.cancelled == 1


async def test_the_deadline_of_the_request_ends_an_attempt(autojump_clock: MockClock) -> None:
    started = trio.current_time()
    failure = await failure_of(attempt(live(ScriptedUpstream(lambda _: SILENT)), streaming=False, deadline=7.0))
    assert failure == Failure(Kind.TIMEOUT, "no answer within 7.0 s")
    assert trio.current_time() - started == 7.0


async def test_a_cancelled_attempt_leaves_nothing_open(autojump_clock: MockClock) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(body=[b"+\n", 50.0, b"+a\n"]))
    provider = live(upstream)
    one = attempt(provider)
    with trio.move_on_after(3.0):
        await one.run()
    one.abort()
    assert (one.outcome, one.ended) == ("cancelled", one.started + 3.0)
    assert (upstream.left_open(), provider.in_flight) == (0, 0)


@pytest.mark.parametrize(("status", "kind"), [(401, Kind.AUTH), (402, Kind.QUOTA)])
async def test_a_refused_key_is_set_aside_and_the_next_one_is_used(
    autojump_clock: MockClock, status: int, kind: Kind
) -> None:
    upstream = ScriptedUpstream(
        lambda call: Reply(status, [b"no"]) if "k0" in call.headers["authorization"] else Reply(body=[b"good"])
    )
    provider = live(upstream, keys=("k0", "k1"))
    one = attempt(provider, streaming=False)
    assert (await failure_of(one)).kind is kind
    assert one.other_key
    two = attempt(provider, streaming=False)
    assert (await two.run()).completion is not None
    assert provider.pool.rests(0, trio.current_time())


async def test_where_every_key_was_tried_nothing_is_sent(autojump_clock: MockClock) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(401, [b"no"]))
    provider = live(upstream)
    one = attempt(provider)
    await failure_of(one)
    assert not one.other_key
    two = attempt(provider)
    two.tried = one.tried
    assert (await failure_of(two)).kind is Kind.AUTH
    assert len(upstream.calls) == 1


async def test_a_key_in_an_upstreams_error_is_redacted(autojump_clock: MockClock) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(500, [b"bad key k0-secret!"]))
    assert (await failure_of(attempt(live(upstream)))).message == "bad key [redacted]!"


@pytest.mark.parametrize(
    ("body", "kind", "after"),
    [
        ([b"+a\n", 31.0, b".\n"], Kind.IDLE, 30.0),
        ([b"+a\n", *[29.0, b"+\n"] * 30], Kind.TIMEOUT, 600.0),
        ([b"+a\n", 2.0, Failure(Kind.RESET, "reset")], Kind.RESET, 2.0),
        ([b"+a\n", 2.0, b"!\n"], Kind.SERVER, 2.0),
        ([b"+a\n", 2.0], Kind.RESET, 2.0),
    ],
)
async def test_what_goes_wrong_after_the_commit_is_the_last_event(
    autojump_clock: MockClock, body: list[bytes | float | Failure], kind: Kind, after: float
) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(body=body))
    started = trio.current_time()
    answer = await attempt(live(upstream)).run()
    last = (await rest(answer))[-1]
    assert isinstance(last, Failed)
    assert last.failure.kind is kind
    assert trio.current_time() - started == after
    assert upstream.left_open() == 0


@pytest.mark.parametrize("tail", [[1e6], [Failure(Kind.RESET, "reset")]])
async def test_an_upstream_that_does_not_end_its_finished_stream_is_closed(
    autojump_clock: MockClock, tail: list[bytes | float | Failure]
) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(body=[b"+a\n.\n", *tail]))
    answer = await attempt(live(upstream)).run()
    await rest(answer)
    started = trio.current_time()
    assert answer.stream is not None
    await answer.stream.say_goodbye()
    assert trio.current_time() - started <= 0.25
    assert upstream.left_open() == 0


@pytest.mark.parametrize("framed", [False, True])
@pytest.mark.parametrize(
    ("body", "texts", "last"),
    [
        ([b"+a\n", b"+b\n."], ["a", "b"], Failed(Failure(Kind.RESET, "the stream ended too soon"))),
        ([b"+a\n+b\n.\n"], ["a", "b"], Done()),
        ([b"+a\n", b".\n"], ["a"], Done()),
        ([b"+a\n+b\n"], ["a", "b"], Failed(Failure(Kind.RESET, "the stream ended too soon"))),
    ],
)
async def test_a_stream_is_the_same_however_its_end_is_known(
    autojump_clock: MockClock, body: list[bytes], texts: list[str], last: Event, *, framed: bool
) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(body=body, framed=framed))
    answer = await attempt(live(upstream)).run()
    *chunks, end = await rest(answer)
    assert [event.body["text"] for event in chunks if isinstance(event, Chunk)] == texts
    assert end == last
    assert answer.stream is not None
    await answer.stream.say_goodbye()
    assert upstream.left_open() == 0


@pytest.mark.parametrize("framed", [False, True])
async def test_a_stream_that_ends_without_content_has_failed(autojump_clock: MockClock, *, framed: bool) -> None:
    failure = await failure_of(attempt(live(ScriptedUpstream(lambda _: Reply(body=[b"+\n"], framed=framed)))))
    assert failure.kind is Kind.RESET


@pytest.mark.parametrize("framed", [False, True])
async def test_an_error_is_read_to_its_end(autojump_clock: MockClock, *, framed: bool) -> None:
    reply = Reply(500, [b"it ", 1.0, b"broke"], framed=framed)
    failure = await failure_of(attempt(live(ScriptedUpstream(lambda _: reply))))
    assert failure.message == "it broke"


async def test_nothing_is_sent_after_the_deadline(autojump_clock: MockClock) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(body=[b"good"]))
    failure = await failure_of(attempt(live(upstream), streaming=False, deadline=0.0))
    assert failure.kind is Kind.TIMEOUT
    assert not upstream.exchanges[0].opened
    assert upstream.left_open() == 0


async def test_what_is_there_when_its_time_is_over_is_not_read(autojump_clock: MockClock) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(body=[b"+a\n", b"+b\n", b".\n"]))
    one = attempt(live(upstream, total_s=10.0))
    answer = await one.run()
    await trio.sleep(10.0)
    *_, end = await rest(answer)
    assert isinstance(end, Failed)
    assert end.failure.kind is Kind.TIMEOUT


async def test_an_answer_that_lost(autojump_clock: MockClock) -> None:
    one = attempt(live(ScriptedUpstream(lambda _: Reply(body=[b"good"]))), streaming=False)
    (await one.run()).abort()
    one.lost()
    assert one.outcome == "lost"


async def test_a_wait_that_is_interrupted_at_every_moment_comes_to_the_same(autojump_clock: MockClock) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(body=[1.0, b"+\n+", 1.0, b"a\n+b\n", 1.0, b".\n"], delay=1.0))
    one = attempt(live(upstream))
    times = [one.started + quarter / 4 for quarter in range(1, 12)]
    assert [await one.run_until(time) for time in times] == [None] * 11
    assert one.heard
    answer = await one.run()
    assert trio.current_time() == one.first_token == one.started + 3.0
    assert one.waited_s == 3.0
    texts = [event.body["text"] for event in await rest(answer) if isinstance(event, Chunk)]
    assert texts == ["", "a", "b"]
    assert len(upstream.calls) == 1


async def test_a_plain_answer_is_put_together_over_interruptions(autojump_clock: MockClock) -> None:
    one = attempt(live(ScriptedUpstream(lambda _: Reply(body=[b"go", 2.0, b"od"]))), streaming=False)
    assert await one.run_until(one.started + 1.0) is None
    assert (await one.run()).completion == Completion({"ok": True}, None)


@pytest.mark.parametrize("interrupted_at", [4.0, 59.9, 60.0])
async def test_time_outs_count_from_the_start_also_over_interruptions(
    autojump_clock: MockClock, interrupted_at: float
) -> None:
    upstream = ScriptedUpstream(lambda _: SILENT)
    one = attempt(live(upstream))
    with pytest.raises(WireError) as caught:
        await one.run_until(one.started + interrupted_at) or await one.run()
    assert caught.value.failure.kind is Kind.TIMEOUT
    assert trio.current_time() == one.started + 60.0
    assert upstream.left_open() == 0


async def test_an_attempt_that_has_to_connect_is_not_waited_for_in_parts(autojump_clock: MockClock) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(body=[b"good"]), connect_s=1.0)
    one = attempt(live(upstream), streaming=False)
    assert await one.run_until(one.started + 5.0) is None
    assert trio.current_time() == one.started
    assert (await one.run()).completion is not None
    assert trio.current_time() == one.started + 1.0
    assert len(upstream.calls) == 1


async def test_an_answer_that_comes_when_the_time_is_up_is_not_lost(autojump_clock: MockClock) -> None:
    upstream = ScriptedUpstream(lambda _: Reply(body=[b"good"], delay=2.0))
    one = attempt(live(upstream), streaming=False)
    answer = await one.run_until(one.started + 2.0) or await one.run()
    assert answer.completion is not None
    assert trio.current_time() == one.started + 2.0
