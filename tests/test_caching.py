"""The gateway with a cache before it, end to end in virtual time over a scripted upstream."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import orjson
import pytest
import trio
from attrs import define, evolve, field
from trio.testing import MockClock, wait_all_tasks_blocked

from clawgw.cache.memory import MemoryCache
from clawgw.cached_streams import KeptStream, StoredStream
from clawgw.caching import Answered, CachingGateway, Result
from clawgw.config.callers import key_digest
from clawgw.config.load import load
from clawgw.engine.arrival import Arrival
from clawgw.engine.upstream import Call
from clawgw.errors import GatewayError, LogSpoolFull
from clawgw.gateway import Gateway, PlainAnswer
from clawgw.ledger.record import Bodies, RequestRecord
from clawgw.wire.checks.parse import parse_embeddings_request, parse_text_request
from clawgw.wire.failure import Failure, Kind
from clawgw.wire.request import Request
from tests.living import live
from tests.scripted_upstream import Refusal, Reply, ScriptedUpstream
from tests.test_gateway import END, ROLE, chat, chunk, completion, error_reply
from tests.test_gateway_ledger import Notebook

CONFIG = f"""
[[keys]]
name = "alice"
sha256 = "{key_digest("alice").hex()}"
labels = {{ team = "search" }}
limits = {{ requests_per_minute = 2 }}
[[keys]]
name = "bob"
sha256 = "{key_digest("bob").hex()}"
models = ["r", "all"]
[[keys]]
name = "carol"
sha256 = "{key_digest("carol").hex()}"
models = ["other"]
[providers.one]
wire = "openai"
base_url = "https://one.example/v1"
[routes.r]
targets = ["one/m"]
max_attempts = 1
[routes.all]
targets = ["one/m"]
cache = "shared"
[routes.never]
targets = ["one/m"]
cache = "off"
[routes.hasty]
targets = ["one/m"]
deadline_s = 4
[cache]
store = "memory"
ttl_s = 60
max_bytes = 640_000
[prices."one/m"]
input = 1.0
output = 2.0
"""
NOON = 1_800_000_000.0
ANSWER = completion("Hello", prompt_tokens_details={"cached_tokens": 3})
STREAM = Reply(body=[ROLE, chunk({"content": "Hel"}), 1.0, chunk({"content": "lo"}), *END], delay=0.5)
NO_CACHE = {b"cache-control": b"no-cache"}


@define
class Setting:
    gateway: CachingGateway
    upstream: ScriptedUpstream
    results: list[Result]
    records: list[RequestRecord] = field(factory=list)
    in_flight: int = 0
    got: dict[str, bytes] = field(factory=dict)
    ids: Iterator[int] = field(factory=count)

    def request_started(self, endpoint: str) -> None:
        self.in_flight += 1

    def request_ended(self, record: RequestRecord) -> None:
        self.in_flight -= 1
        self.records.append(record)

    async def answer(
        self, request: Request, key: str = "alice", headers: Mapping[bytes, bytes] | None = None
    ) -> Answered:
        lives = self.gateway.live
        caller = lives.snapshot.callers.find(key)
        assert caller is not None
        now = trio.current_time()
        listed = tuple((headers or {}).items())
        return await self.gateway.answer(
            request, Arrival(f"req_{next(self.ids)}", "mine", now, NOON + now, lives, caller, listed)
        )

    async def plain(self, request: Request, *more: Any) -> PlainAnswer:
        answer = await self.answer(request, *more)
        assert isinstance(answer, PlainAnswer)
        return answer

    async def stream(self, request: Request, *more: Any) -> tuple[Mapping[str, str], bytes]:
        """Its headers, and all of it."""
        answer = await self.answer(request, *more)
        assert not isinstance(answer, PlainAnswer)
        body = b""
        try:
            while data := await answer.receive():
                body += data
        finally:
            answer.close()
        return answer.headers, body

    async def fetch(self, name: str, request: Request, *more: Any) -> None:
        """Into `got`: the text that was said, or an error's code."""
        try:
            if getattr(request, "stream", False):
                _, body = await self.stream(request, *more)
                self.got[name] = said(body)
            else:
                body = orjson.loads((await self.plain(request, *more)).body)
                self.got[name] = body["choices"][0]["message"]["content"].encode()
        except GatewayError as error:
            self.got[name] = str(error.code).encode()

    def asked(self) -> int:
        return len(self.upstream.calls)


def setting(script: Reply | Refusal | Callable[[Call], Reply | Refusal] = ANSWER, config: str = CONFIG) -> Setting:
    snapshot = load(config, {}, read_file=lambda _: pytest.fail("no file is named"))
    upstream = ScriptedUpstream(script if callable(script) else lambda _: script)
    gateway = Gateway(live(snapshot, upstream), None, lambda: 0.5)  # type: ignore[arg-type]  # set below
    results: list[Result] = []
    cache = MemoryCache(snapshot.settings.cache.max_bytes, trio.current_time)
    made = Setting(CachingGateway(gateway, cache, results.append), upstream, results)
    gateway.listener = made
    return made


def in_turn(*replies: Reply | Refusal) -> Callable[[Call], Reply | Refusal]:
    coming = iter(replies)
    return lambda _: next(coming)


def said(events: bytes) -> bytes:
    lines = [line.removeprefix(b"data: ") for line in events.split(b"\n\n") if line]
    deltas = [orjson.loads(line)["choices"] for line in lines if line != b"[DONE]" and b'"error"' not in line]
    return "".join(choice["delta"].get("content") or "" for [choice] in filter(None, deltas)).encode()


def chunks(events: bytes) -> Sequence[Any]:
    lines = [line.removeprefix(b"data: ") for line in events.split(b"\n\n") if line]
    assert lines[-1] == b"[DONE]"
    return [orjson.loads(line) for line in lines[:-1]]


async def test_the_same_question_has_the_same_answer_and_costs_nothing(autojump_clock: MockClock) -> None:
    s = setting()
    first = await s.plain(chat("r", user="u"))
    again = await s.plain(chat("r", user="v", metadata={"trace": "t"}))
    assert (s.asked(), s.results) == (1, ["miss", "hit"])
    assert again.body == first.body
    assert again.headers == {
        "x-clawgw-provider": "one",
        "x-clawgw-model": "m",
        "x-clawgw-attempts": "0",
        "x-clawgw-cache": "hit",
        "x-clawgw-config": s.gateway.live.snapshot.version,
        "x-clawgw-cost-usd": "0",
    }
    assert "x-clawgw-cache" not in first.headers


async def test_the_record_of_a_hit(autojump_clock: MockClock) -> None:
    s = setting()
    await s.plain(chat("r"))
    await trio.sleep(9.5)
    await s.plain(chat("r", user="v", metadata={"trace": "t"}))
    asked, hit = s.records
    assert (asked.cache, asked.cost_pico) == (None, 11_000_000)
    assert hit == RequestRecord(
        request_id="req_1",
        client_request_id="mine",
        at_ms=1_800_000_010_000,
        endpoint="chat.completions",
        key="alice",
        labels={"team": "search"},
        route="r",
        stream=False,
        user="v",
        metadata={"trace": "t"},
        config_version=s.gateway.live.snapshot.version,
        outcome="ok",
        status=200,
        provider="one",
        model="m",
        finish_reason="stop",
        prompt_tokens=7,
        cached_tokens=3,
        completion_tokens=2,
        reasoning_tokens=0,
        usage_source="reported",
        cost_pico=0,
        cache="hit",
        first_token_ms=0.0,
        duration_ms=0.0,
        attempts=(),
    )
    assert s.in_flight == 0


async def test_a_plain_answer_is_streamed_to_whoever_wants_that(autojump_clock: MockClock) -> None:
    s = setting()
    await s.plain(chat("r"))
    headers, body = await s.stream(chat("r", stream=True, stream_options={"include_usage": True}))
    first, *_, usage = chunks(body)
    assert said(body) == b"Hello"
    assert first["choices"][0]["delta"]["role"] == "assistant"
    assert (first["id"], first["created"]) == ("c1", 1)
    assert usage["usage"]["prompt_tokens"] == 7
    assert (headers["x-clawgw-cache"], headers["x-clawgw-attempts"]) == ("hit", "0")
    _, body = await s.stream(chat("r", stream=True))
    assert all("usage" not in each for each in chunks(body))
    assert [(r.stream, r.cache, r.outcome) for r in s.records[1:]] == [(True, "hit", "ok")] * 2
    assert s.asked() == 1


async def test_a_streamed_answer_is_kept_for_plain_requests_too(autojump_clock: MockClock) -> None:
    s = setting(STREAM)
    _, first = await s.stream(chat("r", stream=True))
    assert said(first) == b"Hello"
    again = orjson.loads((await s.plain(chat("r"))).body)
    assert again == {
        "id": "s1",
        "object": "chat.completion",
        "created": 1,
        "model": "m-really",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
    }
    _, streamed = await s.stream(chat("r", stream=True))
    assert said(streamed) == b"Hello"
    assert (s.asked(), s.results) == (1, ["miss", "hit", "hit"])


async def test_texts_and_embeddings(autojump_clock: MockClock) -> None:
    text = {
        "id": "t",
        "object": "text_completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "text": "ho", "logprobs": None, "finish_reason": "stop"}],
    }
    vectors = {
        "object": "list",
        "model": "m",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }
    s = setting(in_turn(Reply(body=[orjson.dumps(text)]), Reply(body=[orjson.dumps(vectors)])))
    for parse, body in (
        (parse_text_request, b'{"model": "r", "prompt": "hi"}'),
        (parse_embeddings_request, b'{"model": "r", "input": "hi"}'),
    ):
        first, again = await s.plain(parse(body)), await s.plain(parse(body))
        assert first.body == again.body
    assert s.asked() == 2
    assert [(r.endpoint, r.prompt_tokens, r.finish_reason) for r in s.records if r.cache] == [
        ("completions", None, "stop"),
        ("embeddings", 1, None),
    ]


async def test_its_time_is_that_of_the_configuration(autojump_clock: MockClock) -> None:
    s = setting()
    await s.plain(chat("r"))
    await trio.sleep(59)
    await s.plain(chat("r"))
    await trio.sleep(1.5)
    await s.plain(chat("r"))
    assert s.results == ["miss", "hit", "miss"]


async def test_keys_have_answers_of_their_own_unless_the_route_is_shared(autojump_clock: MockClock) -> None:
    s = setting()
    await s.plain(chat("r"), "alice")
    await s.plain(chat("r"), "bob")
    await s.plain(chat("all"), "alice")
    await s.plain(chat("all"), "bob")
    assert s.results == ["miss", "miss", "miss", "hit"]


async def test_whom_a_model_is_not_allowed_gets_nothing_of_it(autojump_clock: MockClock) -> None:
    s = setting()
    await s.plain(chat("all"), "alice")
    with pytest.raises(GatewayError) as caught:
        await s.answer(chat("all"), "carol")
    assert caught.value.code == "model_not_allowed"
    assert [(r.key, r.status) for r in s.records] == [("alice", 200), ("carol", 403)]


async def test_a_route_may_be_without(autojump_clock: MockClock) -> None:
    s = setting()
    for _ in range(2):
        await s.plain(chat("never"))
    assert (s.asked(), s.results) == (2, ["bypass", "bypass"])


async def test_no_cache_asks_and_keeps_no_store_does_neither(autojump_clock: MockClock) -> None:
    s = setting(in_turn(*(completion(text) for text in ("one", "two", "three"))), CONFIG.replace("= 2 }", "= 9 }"))
    await s.fetch("a", chat("r"))
    await s.fetch("b", chat("r"), "alice", {b"cache-control": b"no-store"})
    await s.fetch("c", chat("r"))
    await s.fetch("d", chat("r"), "alice", NO_CACHE)
    await s.fetch("e", chat("r"))
    assert s.got == {"a": b"one", "b": b"two", "c": b"one", "d": b"three", "e": b"three"}
    assert s.results == ["miss", "bypass", "hit", "bypass", "hit"]


async def test_an_answer_may_be_asked_to_be_young(autojump_clock: MockClock) -> None:
    s = setting(in_turn(*(completion(text) for text in ("one", "two"))))
    await s.fetch("a", chat("r"))
    await trio.sleep(10)
    await s.fetch("b", chat("r"), "alice", {b"cache-control": b"max-age=11"})
    await s.fetch("c", chat("r"), "alice", {b"cache-control": b"max-age=9"})
    await s.fetch("d", chat("r"), "alice", {b"cache-control": b"max-age=9"})
    assert s.got == {"a": b"one", "b": b"one", "c": b"two", "d": b"two"}


async def test_limits_are_not_asked_for_what_calls_nobody(autojump_clock: MockClock) -> None:
    s = setting()
    for _ in range(5):
        await s.plain(chat("r"))
    await s.plain(chat("r", seed=1))
    await s.fetch("over", chat("r", seed=2))
    assert s.got == {"over": b"rate_limit_exceeded"}


@pytest.mark.parametrize(("reply", "more", "took_ms"), [(ANSWER, {}, 500.0), (STREAM, {"stream": True}, 1500.0)])
async def test_equal_requests_at_the_same_time_are_asked_once(
    reply: Reply, more: dict[str, bool], took_ms: float, autojump_clock: MockClock
) -> None:
    s = setting(reply)
    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(s.fetch, str(number), chat("r", **more))
    assert set(s.got.values()) == {b"Hello"}
    assert s.asked() == 1
    assert sorted(s.results) == ["joined"] * 19 + ["miss"]
    assert {(r.duration_ms, r.cost_pico) for r in s.records if r.cache} == {(took_ms, 0)}
    assert {r.upstream_ms for r in s.records if r.cache} == {took_ms}


async def test_plain_and_streamed_requests_wait_for_each_other(autojump_clock: MockClock) -> None:
    s = setting(STREAM)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(s.fetch, "streamed", chat("r", stream=True))
        await wait_all_tasks_blocked()
        nursery.start_soon(s.fetch, "plain", chat("r"))
    assert s.got == {"streamed": b"Hello", "plain": b"Hello"}
    assert s.asked() == 1


async def test_after_an_error_all_who_waited_ask_for_themselves(autojump_clock: MockClock) -> None:
    s = setting(in_turn(evolve(error_reply(400), delay=1.0), ANSWER, ANSWER), CONFIG.replace("= 2 }", "= 9 }"))
    async with trio.open_nursery() as nursery:
        for name in ("a", "b", "c"):
            nursery.start_soon(s.fetch, name, chat("r"))
    assert sorted(s.got.values())[:2] == [b"Hello", b"Hello"]
    assert (s.asked(), s.results) == (3, ["miss"] * 3)
    assert {at for at, _ in s.upstream.calls} == {0.0, 1.0}


async def test_when_the_one_who_asked_leaves_another_asks(autojump_clock: MockClock) -> None:
    s = setting(evolve(ANSWER, delay=5.0))
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(2):
            await_leader = s.fetch("leader", chat("r"))
            for name in ("a", "b"):
                nursery.start_soon(_later, 1.0, s, name)
            await await_leader
    assert s.got == {"a": b"Hello", "b": b"Hello"}
    assert [at for at, _ in s.upstream.calls] == [0.0, 2.0]
    assert sorted((r.outcome, r.cache) for r in s.records if r.cache or r.outcome != "ok") == [
        ("cancelled", None),
        ("ok", "hit"),
    ]


async def _later(seconds: float, s: Setting, name: str) -> None:
    await trio.sleep(seconds)
    await s.fetch(name, chat("r"))


async def test_one_who_leaves_while_it_waits_is_recorded(autojump_clock: MockClock) -> None:
    s = setting(evolve(ANSWER, delay=5.0))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(s.fetch, "leader", chat("r"))
        await wait_all_tasks_blocked()
        with trio.move_on_after(2):
            await s.fetch("follower", chat("r"))
    assert s.got == {"leader": b"Hello"}
    assert [(r.outcome, r.status, r.route, r.attempts) for r in s.records if r.outcome != "ok"] == [
        ("cancelled", 499, "r", ())
    ]
    assert (s.asked(), s.in_flight) == (1, 0)


async def test_a_stream_that_is_left_or_broken_is_not_kept(autojump_clock: MockClock) -> None:
    broken = Reply(body=[ROLE, chunk({"content": "Hel"}), Failure(Kind.RESET, "cut")])
    s = setting(in_turn(STREAM, broken, STREAM), CONFIG.replace("= 2 }", "= 9 }"))
    left = await s.answer(chat("r", stream=True))
    assert isinstance(left, KeptStream)
    await left.receive()
    left.close()
    _, cut = await s.stream(chat("r", stream=True))
    assert b'"error"' in cut
    _, whole = await s.stream(chat("r", stream=True))
    assert said(whole) == b"Hello"
    assert [(r.outcome, r.cache) for r in s.records] == [("cancelled", None), ("error", None), ("ok", None)]


async def test_when_a_stream_is_left_whoever_waited_asks(autojump_clock: MockClock) -> None:
    s = setting(STREAM)
    left = await s.answer(chat("r", stream=True))
    assert not isinstance(left, PlainAnswer)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(s.fetch, "next", chat("r", stream=True))
        await wait_all_tasks_blocked()
        left.close()
    assert s.got == {"next": b"Hello"}
    assert s.asked() == 2


async def test_when_a_stream_breaks_whoever_waited_asks(autojump_clock: MockClock) -> None:
    broken = Reply(body=[ROLE, chunk({"content": "Hel"}), 1.0, Failure(Kind.RESET, "cut")])
    s = setting(in_turn(broken, STREAM))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(s.fetch, "first", chat("r", stream=True))
        await wait_all_tasks_blocked()
        nursery.start_soon(s.fetch, "next", chat("r", stream=True))
    assert s.got == {"first": b"Hel", "next": b"Hello"}


async def test_nobody_waits_for_more_than_half_of_its_own_time(autojump_clock: MockClock) -> None:
    s = setting(evolve(ANSWER, delay=3.0))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(s.fetch, "first", chat("hasty"))
        await wait_all_tasks_blocked()
        nursery.start_soon(s.fetch, "next", chat("hasty"))
    assert [at for at, _ in s.upstream.calls] == [0.0, 2.0]


async def test_one_who_wants_it_younger_than_what_it_waited_for_asks(autojump_clock: MockClock) -> None:
    s = setting(in_turn(evolve(ANSWER, delay=5.0), completion("fresh")))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(s.fetch, "first", chat("r"))
        await trio.sleep(3)
        nursery.start_soon(s.fetch, "next", chat("r"), "alice", {b"cache-control": b"max-age=1"})
    assert s.got == {"first": b"Hello", "next": b"fresh"}


async def test_an_answer_that_is_too_large_is_given_to_those_who_wait_and_not_kept(autojump_clock: MockClock) -> None:
    s = setting(completion("x" * 10_000))
    async with trio.open_nursery() as nursery:
        for name in ("a", "b"):
            nursery.start_soon(s.fetch, name, chat("r"))
    assert s.asked() == 1
    await s.fetch("c", chat("r"))
    assert s.asked() == 2


async def test_a_stream_that_is_too_large_is_not_put_together(autojump_clock: MockClock) -> None:
    large = Reply(body=[ROLE, *[chunk({"content": "x" * 1_000})] * 11, *END])
    s = setting(large)
    for _ in range(2):
        _, body = await s.stream(chat("r", stream=True))
        assert said(body) == b"x" * 11_000
    assert s.asked() == 2


async def test_a_stored_stream_that_is_not_read_was_left(autojump_clock: MockClock) -> None:
    s = setting()
    await s.plain(chat("r"))
    answer = await s.answer(chat("r", stream=True))
    assert isinstance(answer, StoredStream)
    answer.close()
    assert [(r.outcome, r.cache) for r in s.records[1:]] == [("cancelled", None)]


async def test_what_was_dropped_is_said_again(autojump_clock: MockClock) -> None:
    config = CONFIG.replace('wire = "openai"', 'wire = "mistral"')
    s = setting(config=config)
    first = await s.plain(chat("r", verbosity="low"))
    again = await s.plain(chat("r", verbosity="low"))
    assert first.headers["x-clawgw-dropped"] == again.headers["x-clawgw-dropped"] == "verbosity"


async def test_another_configuration_takes_its_place(autojump_clock: MockClock) -> None:
    s = setting()
    await s.plain(chat("r"))
    moved = CONFIG.replace("https://one.example", "https://moved.example")
    s.gateway.live = live(load(moved, {}, read_file=lambda _: b""), s.upstream)
    await s.plain(chat("r"))
    assert s.results == ["miss", "miss"]
    assert s.gateway.gateway.live is s.gateway.live


async def test_one_who_leaves_while_the_store_is_asked_lets_another_ask(autojump_clock: MockClock) -> None:
    s = setting()

    @define
    class Slow(MemoryCache):
        async def get(self, key: bytes) -> None:
            await trio.sleep(1)

    s.gateway.store = Slow(0, trio.current_time)
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(0.5):
            nursery.start_soon(_later, 0.1, s, "next")
            await s.fetch("first", chat("r"))
    assert s.got == {"next": b"Hello"}
    assert [at for at, _ in s.upstream.calls] == [1.5]
    assert sorted(r.outcome for r in s.records) == ["cancelled", "ok"]


async def test_an_answer_of_the_cache_is_written_down_before_it_is_given(autojump_clock: MockClock) -> None:
    s = setting()
    await s.plain(chat("r"))
    notebook = s.gateway.gateway.ledger = Notebook()
    await s.plain(chat("r"))
    await s.stream(chat("r", stream=True))
    assert notebook.done == ["end ok", "durable", "durable", "end ok", "durable"]
    assert [record.cache for record in notebook.records] == ["hit", "hit"]
    notebook.full = True
    with pytest.raises(LogSpoolFull):
        await s.plain(chat("r"))
    with pytest.raises(LogSpoolFull):
        await s.stream(chat("r", stream=True))
    assert s.asked() == 1


@pytest.mark.parametrize("streamed", [False, True])
async def test_what_a_hit_says_is_logged_as_ever(autojump_clock: MockClock, streamed: bool) -> None:  # noqa: FBT001 - a case
    s = setting(STREAM, f"{CONFIG}[log]\nbodies = true\nredact = ['Hell']\n")
    await s.stream(chat("r", stream=True))
    await s.fetch("again", chat("r", stream=streamed))
    asked, hit = (record.bodies for record in s.records)
    assert asked is not None
    assert hit is not None
    assert hit.request == orjson.dumps(chat("r", stream=streamed).body).decode()
    assert hit.response == asked.response
    assert hit.response is not None
    assert '"content":"[redacted]o"' in hit.response


async def test_of_a_client_that_waits_for_anothers_answer_and_leaves_what_it_asked_is_logged(
    autojump_clock: MockClock,
) -> None:
    s = setting(ANSWER, f"{CONFIG}[log]\nbodies = true\n")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(s.fetch, "first", chat("r"))
        await wait_all_tasks_blocked()
        with trio.move_on_after(0.1):
            await s.fetch("second", chat("r"))
    left = next(record for record in s.records if record.outcome == "cancelled")
    assert left.bodies == Bodies(orjson.dumps(chat("r").body).decode(), None)
