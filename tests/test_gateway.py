"""One request end to end in virtual time: the real decisions and codecs over a scripted upstream."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pytest
import trio
from attrs import define, field
from trio.testing import MockClock

from clawgw.config.load import load
from clawgw.engine.arrival import Arrival
from clawgw.engine.upstream import Call
from clawgw.errors import GatewayError
from clawgw.gateway import Gateway, PlainAnswer, StreamAnswer
from clawgw.ledger.record import RequestRecord
from clawgw.wire.checks.parse import parse_chat_request, parse_embeddings_request, parse_text_request
from clawgw.wire.failure import Failure, Kind
from clawgw.wire.request import Request
from tests.living import live
from tests.scripted_upstream import SILENT, Refusal, Reply, ScriptedUpstream, refused

CONFIG = """
[providers.one]
wire = "openai"
base_url = "https://one.example/v1"
[providers.two]
wire = "openai"
base_url = "https://two.example/v1"
[providers.groq]
[providers.anthropic]
api_keys = ["env:KEY_A", "env:KEY_B"]
[providers.openai]
[routes.both]
targets = ["one/m1", "two/m2"]
[routes.claude]
targets = ["anthropic/claude-haiku-4-5"]
[routes.keyless]
targets = ["openai/gpt-6-luna"]
[routes.half]
targets = ["openai/gpt-6-luna", "two/m2"]
[prices."two/m2"]
input = 0.5
output = 4.0
[routes.two-only]
targets = ["groq/llama", "two/m2"]
"""
ENVIRON = {"KEY_A": "anthropic-key-a", "KEY_B": "anthropic-key-b", "GROQ_API_KEY": "groq-key"}


@define
class Ear:
    """A listener that keeps what it hears."""

    started: list[str] = field(factory=list)
    records: list[RequestRecord] = field(factory=list)

    def request_started(self, endpoint: str) -> None:
        self.started.append(endpoint)

    def request_ended(self, record: RequestRecord) -> None:
        self.records.append(record)


@define
class Setting:
    gateway: Gateway
    upstream: ScriptedUpstream
    ear: Ear
    policy_errors: list[tuple[str, str]] = field(factory=list)

    @property
    def record(self) -> RequestRecord:
        [record] = self.ear.records
        return record

    def attempts(self) -> list[tuple[str, str, str, str | None]]:
        return [(str(a.target), a.trigger, a.outcome, a.error_code) for a in self.record.attempts]

    def left_open(self) -> tuple[int, int]:
        return self.upstream.left_open(), sum(p.in_flight for p in self.gateway.live.providers.values())


def setting(script: Mapping[str, Reply | Refusal] | Callable[[Call], Reply | Refusal]) -> Setting:
    """`script` by the host's first label, or a function of the call."""
    reply = script if callable(script) else lambda call: script[call.url.split("/")[2].split(".")[0]]
    snapshot = load(CONFIG, ENVIRON, read_file=lambda _: pytest.fail("no file is named"))
    upstream, ear = ScriptedUpstream(reply), Ear()
    return Setting(Gateway(live(snapshot, upstream), ear, lambda: 0.5), upstream, ear)


def arrival(s: Setting) -> Arrival:
    return Arrival("req_1", "mine", trio.current_time(), 1_800_000_000.0, s.gateway.live)


def chat(model: str, **more: Any) -> Request:
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}
    return parse_chat_request(orjson.dumps(body))


def completion(text: str = "hello", **usage: object) -> Reply:
    message = {"role": "assistant", "content": text}
    body = {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m-really",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9, **usage},
    }
    return Reply(body=[orjson.dumps(body)], delay=0.5)


CHUNK = {"id": "s1", "object": "chat.completion.chunk", "created": 1, "model": "m-really"}


def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + orjson.dumps({**CHUNK, "choices": [choice]}) + b"\n\n"


ROLE = chunk({"role": "assistant", "content": ""})
USAGE = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
END = [
    chunk({}, "stop"),
    b"data: " + orjson.dumps({**CHUNK, "choices": [], "usage": USAGE}) + b"\n\n",
    b"data: [DONE]\n\n",
]
MESSAGE = Reply(
    body=[
        orjson.dumps(
            {
                "id": "m",
                "type": "message",
                "role": "assistant",
                "model": "c",
                "content": [{"type": "text", "text": "hi"}],
                "stop_reason": "end_turn",
                "usage": {"input_tokens": 1, "output_tokens": 1},
            }
        )
    ]
)


def error_reply(status: int, code: str | None = None) -> Reply:
    return Reply(
        status, [orjson.dumps({"error": {"message": f"said {status}", "type": "t", "param": None, "code": code}})]
    )


async def plain(s: Setting, request: Request) -> PlainAnswer:
    answer = await s.gateway.answer(request, arrival(s))
    assert isinstance(answer, PlainAnswer)
    return answer


async def stream(s: Setting, request: Request) -> tuple[StreamAnswer, bytes]:
    answer = await s.gateway.answer(request, arrival(s))
    assert isinstance(answer, StreamAnswer)
    said = b""
    while data := await answer.receive():
        said += data
    answer.close()
    return answer, said


async def error_of(s: Setting, request: Request) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await s.gateway.answer(request, arrival(s))
    return caught.value


def events(said: bytes) -> list[Any]:
    texts = [block.removeprefix(b"data: ") for block in said.split(b"\n\n")[:-1]]
    return [text if text == b"[DONE]" else orjson.loads(text) for text in texts]


async def test_a_plain_answer_with_its_headers_and_record(autojump_clock: MockClock) -> None:
    s = setting({"one": completion()})
    answer = await plain(s, chat("one/m1", user="u"))
    assert orjson.loads(answer.body)["choices"][0]["message"]["content"] == "hello"
    assert orjson.loads(answer.body)["model"] == "m-really"
    assert answer.headers == {
        "x-clawgw-provider": "one",
        "x-clawgw-model": "m1",
        "x-clawgw-attempts": "1",
        "x-clawgw-config": s.gateway.live.snapshot.version,
    }
    record = s.record
    assert (record.outcome, record.status, record.provider, record.model) == ("ok", 200, "one", "m1")
    assert (record.request_id, record.client_request_id, record.at_ms) == ("req_1", "mine", 1_800_000_000_000)
    assert (record.prompt_tokens, record.completion_tokens, record.usage_source) == (7, 2, "reported")
    assert (record.finish_reason, record.user, record.route, record.stream) == ("stop", "u", None, False)
    assert (record.duration_ms, record.upstream_ms, record.first_token_ms) == (500.0, 500.0, 500.0)
    assert s.attempts() == [("one/m1", "primary", "won", None)]
    assert s.ear.started == ["chat.completions"]
    assert s.left_open() == (0, 0)


async def test_what_an_answer_cost_is_in_its_header_and_its_record(autojump_clock: MockClock) -> None:
    s = setting({"one": error_reply(500), "two": completion()})
    answer = await plain(s, chat("both"))
    assert answer.headers["x-clawgw-cost-usd"] == "0.0000115"  # 7 * 0.50 + 2 * 4.00 millionths of a dollar
    assert (s.record.cost_pico, s.record.cost_usd) == (11_500_000, 0.0000115)
    failed, won = s.record.attempts
    assert (failed.cost_pico, failed.cost_usd) == (None, None)
    assert (won.cost_pico, won.cost_usd) == (11_500_000, 0.0000115)


async def test_a_listed_price_and_what_a_provider_says_it_has_billed(autojump_clock: MockClock) -> None:
    s = setting({"api": completion()})
    answer = await plain(s, chat("groq/openai/gpt-oss-20b"))
    assert answer.headers["x-clawgw-cost-usd"] == "0.000001125"  # 7 * 0.075 + 2 * 0.30
    s = setting({"one": completion(cost=0.25)})
    assert (await plain(s, chat("one/m1"))).headers["x-clawgw-cost-usd"] == "0.25"


async def test_without_a_price_there_is_no_cost(autojump_clock: MockClock) -> None:
    s = setting({"one": completion()})
    assert "x-clawgw-cost-usd" not in (await plain(s, chat("both"))).headers
    assert (s.record.cost_pico, s.record.cost_usd) == (None, None)
    assert s.record.prompt_tokens == 7


async def test_what_a_target_cannot_take_is_named(autojump_clock: MockClock) -> None:
    answer = await plain(setting({"api": MESSAGE}), chat("claude", seed=7))
    assert answer.headers["x-clawgw-dropped"] == "seed"


async def test_failover_to_the_next_target(autojump_clock: MockClock) -> None:
    s = setting({"one": refused(), "two": completion()})
    answer = await plain(s, chat("both"))
    assert (answer.headers["x-clawgw-provider"], answer.headers["x-clawgw-attempts"]) == ("two", "2")
    assert s.attempts() == [("one/m1", "primary", "failed", "connect"), ("two/m2", "failover", "won", None)]
    assert (s.record.route, s.record.outcome) == ("both", "ok")
    [(first, _), (second, _)] = s.upstream.calls
    assert second - first <= 0.1


@pytest.mark.parametrize(
    "fault",
    [
        error_reply(500),
        error_reply(503),
        error_reply(429),
        error_reply(408),
        error_reply(401),
        error_reply(404, "model_not_found"),
        error_reply(429, "insufficient_quota"),
        Reply(body=[b"<html>"]),
        Reply(body=[b'{"choices"']),
        Reply(body=[Failure(Kind.RESET, "reset")]),
    ],
)
async def test_every_fault_before_an_answer_goes_to_the_next_target(
    autojump_clock: MockClock, fault: Reply | Refusal
) -> None:
    s = setting({"one": fault, "two": completion()})
    assert (await plain(s, chat("both"))).headers["x-clawgw-provider"] == "two"
    assert s.left_open() == (0, 0)


async def test_a_silent_target_is_joined_after_four_seconds_and_cancelled(autojump_clock: MockClock) -> None:
    s = setting({"one": SILENT, "two": completion()})
    await plain(s, chat("both"))
    assert s.attempts() == [("one/m1", "primary", "cancelled", None), ("two/m2", "silence", "won", None)]
    assert s.record.duration_ms == 4500.0
    assert s.upstream.cancelled == 1
    assert s.left_open() == (0, 0)


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (error_reply(500), 502, "all_targets_failed"),
        (error_reply(400, "bad_thing"), 400, "bad_thing"),
        (error_reply(401), 502, "upstream_auth_failed"),
        (error_reply(404, "model_not_found"), 404, "model_not_found"),
        (error_reply(429, "insufficient_quota"), 429, "upstream_quota_exhausted"),
        (Reply(429, [b"{}"], headers={"retry-after": "3600"}), 429, "upstream_rate_limited"),
        (Reply(body=[b"<html>"]), 502, "invalid_upstream_response"),
        (refused(), 502, "all_targets_failed"),
        (SILENT, 504, "upstream_timeout"),
    ],
)
async def test_the_error_where_nothing_is_left(
    autojump_clock: MockClock, fault: Reply | Refusal, status: int, code: str
) -> None:
    s = setting({"one": fault})
    error = await error_of(s, chat("one/m1"))
    assert (error.status, error.code) == (status, code)
    assert (s.record.outcome, s.record.status, s.record.error_code) == ("error", status, code)
    assert s.record.provider == "one"
    assert len(s.record.attempts) <= 3
    assert s.left_open() == (0, 0)


async def test_a_429_is_waited_for_where_there_is_only_one_target(autojump_clock: MockClock) -> None:
    replies = [Reply(429, [b"{}"], headers={"retry-after": "1"}), completion()]
    s = setting(lambda _: replies.pop(0))
    await plain(s, chat("one/m1"))
    assert s.record.duration_ms == 1500.0
    assert s.attempts() == [("one/m1", "primary", "failed", "rate_limited"), ("one/m1", "retry", "won", None)]


async def test_a_hint_that_is_too_long_is_passed_on(autojump_clock: MockClock) -> None:
    s = setting({"one": Reply(429, [b"{}"], headers={"retry-after": "3600"})})
    assert (await error_of(s, chat("one/m1"))).retry_after_s == 3600.0
    assert len(s.upstream.calls) == 1


async def test_the_next_key_is_used_when_one_is_refused(autojump_clock: MockClock) -> None:
    bad = Reply(401, [b'{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}'])
    s = setting(lambda call: bad if call.headers["x-api-key"] == "anthropic-key-a" else MESSAGE)
    await plain(s, chat("claude"))
    assert [call.headers["x-api-key"] for _, call in s.upstream.calls] == ["anthropic-key-a", "anthropic-key-b"]
    s.ear.records.clear()
    await plain(s, chat("claude"))
    assert len(s.upstream.calls) == 3


async def test_a_stream_by_the_rules_and_its_record(autojump_clock: MockClock) -> None:
    s = setting({"one": Reply(body=[ROLE, 1.0, chunk({"content": "he"}), 1.0, chunk({"content": "llo"}), *END])})
    answer, said = await stream(s, chat("one/m1", stream=True))
    *chunks, done = events(said)
    assert done == b"[DONE]"
    assert [c["choices"][0]["delta"].get("content") for c in chunks] == ["", "he", "llo", None]
    assert all("usage" not in c for c in chunks)
    assert answer.headers["x-clawgw-provider"] == "one"
    record = s.record
    assert (record.outcome, record.status, record.stream, record.finish_reason) == ("ok", 200, True, "stop")
    assert (record.prompt_tokens, record.completion_tokens) == (7, 2)
    assert (record.first_token_ms, record.duration_ms, record.upstream_ms) == (1000.0, 2000.0, 2000.0)
    assert s.left_open() == (0, 0)


async def test_usage_comes_once_and_last_where_it_was_asked_for(autojump_clock: MockClock) -> None:
    s = setting({"one": Reply(body=[ROLE, chunk({"content": "x"}), *END])})
    _, said = await stream(s, chat("one/m1", stream=True, stream_options={"include_usage": True}))
    *chunks, last, done = events(said)
    assert [c["usage"] for c in chunks] == [None] * 3
    assert (last["choices"], last["usage"]["total_tokens"], done) == ([], 9, b"[DONE]")


async def test_a_stream_that_fails_before_its_content_goes_to_the_next_with_one_preamble(
    autojump_clock: MockClock,
) -> None:
    error = b'data: {"error":{"message":"overloaded","type":"server_error"}}\n\n'
    s = setting({"one": Reply(body=[ROLE, error]), "two": Reply(body=[ROLE, chunk({"content": "ok"}), *END])})
    _, said = await stream(s, chat("both", stream=True))
    roles = [c["choices"][0]["delta"].get("role") for c in events(said)[:-1]]
    assert roles.count("assistant") == 1
    assert s.attempts() == [("one/m1", "primary", "failed", "server"), ("two/m2", "failover", "won", None)]


@pytest.mark.parametrize(
    ("tail", "code"),
    [
        ([], "stream_interrupted"),
        ([Failure(Kind.RESET, "reset")], "stream_interrupted"),
        ([31.0], "stream_idle_timeout"),
        ([b'data: {"error":{"message":"overloaded","type":"server_error"}}\n\n'], "stream_interrupted"),
    ],
)
async def test_a_stream_that_fails_after_its_content_ends_in_an_error_without_done(
    autojump_clock: MockClock, tail: list[bytes | float | Failure], code: str
) -> None:
    s = setting({"one": Reply(body=[ROLE, chunk({"content": "x"}), 1.0, *tail]), "two": completion()})
    _, said = await stream(s, chat("both", stream=True))
    last = events(said)[-1]["error"]
    assert (last["code"], last["type"], last["request_id"]) == (code, "upstream_error", "req_1")
    assert b"[DONE]" not in said
    assert (s.record.outcome, s.record.error_code) == ("error", code)
    assert len(s.upstream.calls) == 1
    assert s.left_open() == (0, 0)


async def test_a_key_in_a_streams_error_is_redacted(autojump_clock: MockClock) -> None:
    error = b'data: {"error":{"message":"no groq-key here","type":"server_error"}}\n\n'
    s = setting({"api": Reply(body=[ROLE, chunk({"content": "x"}), 1.0, error])})
    _, said = await stream(s, chat("groq/llama", stream=True))
    assert b"groq-key" not in said
    assert b"[redacted]" in said


async def test_a_client_that_leaves_before_an_answer(autojump_clock: MockClock) -> None:
    s = setting({"one": SILENT})
    with trio.move_on_after(2.0):
        await s.gateway.answer(chat("one/m1"), arrival(s))
    assert (s.record.outcome, s.record.status) == ("cancelled", 499)
    assert s.attempts() == [("one/m1", "primary", "cancelled", None)]
    assert (s.upstream.cancelled, s.left_open()) == (1, (0, 0))


async def test_a_client_that_leaves_within_a_stream(autojump_clock: MockClock) -> None:
    s = setting({"one": Reply(body=[ROLE, chunk({"content": "x"}), 100.0, *END])})
    answer = await s.gateway.answer(chat("one/m1", stream=True), arrival(s))
    assert isinstance(answer, StreamAnswer)
    await answer.receive()
    with trio.move_on_after(1.0):
        await answer.receive()
    answer.close()
    assert (s.record.outcome, s.record.status, s.record.duration_ms) == ("cancelled", 499, 1000.0)
    assert s.left_open() == (0, 0)


async def test_targets_without_a_key_are_passed_over(autojump_clock: MockClock) -> None:
    s = setting({"two": completion()})
    assert (await plain(s, chat("half"))).headers["x-clawgw-attempts"] == "1"


async def test_where_no_target_has_a_key_nothing_is_called(autojump_clock: MockClock) -> None:
    s = setting({})
    error = await error_of(s, chat("keyless"))
    assert (error.status, error.code) == (503, "no_healthy_target")
    assert "OPENAI_API_KEY" in error.message
    assert error.retry_after_s is not None
    assert s.upstream.calls == []


async def test_a_target_that_cannot_is_skipped_and_not_counted(autojump_clock: MockClock) -> None:
    s = setting({"two": completion()})
    answer = await plain(s, chat("two-only", n=2))
    assert (answer.headers["x-clawgw-provider"], answer.headers["x-clawgw-attempts"]) == ("two", "1")
    assert s.attempts() == [("two/m2", "failover", "won", None)]


async def test_where_none_can_the_field_and_the_provider_are_named(autojump_clock: MockClock) -> None:
    s = setting({})
    error = await error_of(s, chat("groq/llama", n=2))
    assert (error.status, error.param) == (400, "n")
    assert "groq" in error.message
    assert s.upstream.calls == []


async def test_an_unknown_model(autojump_clock: MockClock) -> None:
    s = setting({})
    error = await error_of(s, chat("nobody/knows"))
    assert (error.status, error.code) == (404, "model_not_found")
    assert (s.record.provider, s.record.attempts) == (None, ())


async def test_embeddings(autojump_clock: MockClock) -> None:
    body = (
        b'{"object":"list","model":"e","data":[{"object":"embedding","index":0,"embedding":[0.5,1.0]}],'
        b'"usage":{"prompt_tokens":1,"total_tokens":1}}'
    )
    s = setting({"one": Reply(body=[body])})
    answer = await plain(s, parse_embeddings_request(b'{"model":"one/e","input":"x"}'))
    assert orjson.loads(answer.body)["data"][0]["embedding"] == [0.5, 1.0]
    assert (s.record.endpoint, s.record.prompt_tokens) == ("embeddings", 1)


async def test_text_completions_through_chat(autojump_clock: MockClock) -> None:
    s = setting({"api": completion()})
    answer = await plain(s, parse_text_request(b'{"model":"groq/llama","prompt":"hi"}'))
    body = orjson.loads(answer.body)
    assert (body["object"], body["choices"][0]["text"]) == ("text_completion", "hello")
    assert s.upstream.calls[0][1].url.endswith("/chat/completions")


async def test_streamed_text_completions_through_chat(autojump_clock: MockClock) -> None:
    s = setting({"api": Reply(body=[ROLE, chunk({"content": "a"}), chunk({"content": "b"}), *END])})
    _, said = await stream(s, parse_text_request(b'{"model":"groq/llama","prompt":"hi","stream":true}'))
    texts = [c["choices"][0]["text"] for c in events(said)[:-1]]
    assert "".join(texts) == "ab"


async def test_text_completions_of_a_provider_that_has_them(autojump_clock: MockClock) -> None:
    choice = {"text": "yes", "index": 0, "logprobs": None, "finish_reason": "stop"}
    body = orjson.dumps({"id": "t", "object": "text_completion", "created": 1, "model": "m", "choices": [choice]})
    s = setting({"one": Reply(body=[body])})
    answer = await plain(s, parse_text_request(b'{"model":"one/m","prompt":"hi"}'))
    assert orjson.loads(answer.body)["choices"][0]["text"] == "yes"
    assert s.upstream.calls[0][1].url == "https://one.example/v1/completions"


async def test_names_that_are_no_ascii_become_safe_headers(autojump_clock: MockClock) -> None:
    s = setting({"one": completion()})
    answer = await plain(s, chat("one/m1:free@2+x"))
    assert answer.headers["x-clawgw-model"] == "m1:free@2+x"


async def test_a_streamed_text_completion_through_chat_that_is_cut_off(autojump_clock: MockClock) -> None:
    s = setting({"api": Reply(body=[ROLE, chunk({"content": "a"})])})
    _, said = await stream(s, parse_text_request(b'{"model":"groq/llama","prompt":"hi","stream":true}'))
    assert events(said)[-1]["error"]["code"] == "stream_interrupted"


def usages(s: Setting) -> list[tuple[int | None, int | None, str | None]]:
    """Of each attempt: prompt, completion, and where they come from. The prompt is "hi": 1 + 4 + 3, estimated."""
    return [(a.prompt_tokens, a.completion_tokens, a.usage_source) for a in s.record.attempts]


NOTHING, THE_PROMPT, REPORTED = (None, None, None), (8, 0, "estimated"), (7, 2, "reported")


@pytest.mark.parametrize(
    ("first", "usage"),
    [
        (refused(), NOTHING),
        (error_reply(500), NOTHING),
        (error_reply(429), NOTHING),
        (Reply(body=[b"<html>"]), THE_PROMPT),
        (Reply(body=[Failure(Kind.RESET, "reset")]), THE_PROMPT),
        (SILENT, THE_PROMPT),
    ],
)
async def test_an_attempt_without_an_answer_counts_once_its_request_was_sent_and_not_refused(
    autojump_clock: MockClock, first: Reply | Refusal, usage: tuple[int | None, int | None, str | None]
) -> None:
    s = setting({"one": first, "two": completion()})
    await plain(s, chat("both"))
    assert usages(s) == [usage, REPORTED]
    assert (s.record.prompt_tokens, s.record.completion_tokens, s.record.usage_source) == REPORTED


async def test_what_a_losing_stream_had_said_counts(autojump_clock: MockClock) -> None:
    error = b'data: {"error":{"message":"overloaded","type":"server_error"}}\n\n'
    usage = b"data: " + orjson.dumps({**CHUNK, "choices": [], "usage": USAGE}) + b"\n\n"
    s = setting({"one": Reply(body=[ROLE, usage, error]), "two": Reply(body=[ROLE, chunk({"content": "ok"}), *END])})
    await stream(s, chat("both", stream=True))
    assert usages(s) == [REPORTED, REPORTED]


async def test_a_client_that_leaves_early_has_used_the_prompt(autojump_clock: MockClock) -> None:
    s = setting({"one": SILENT})
    with trio.move_on_after(2.0):
        await s.gateway.answer(chat("one/m1"), arrival(s))
    assert usages(s) == [THE_PROMPT]
    assert (s.record.prompt_tokens, s.record.completion_tokens, s.record.usage_source) == THE_PROMPT


async def test_a_client_that_leaves_while_connecting_has_used_nothing(autojump_clock: MockClock) -> None:
    s = setting({"one": completion()})
    s.upstream.connect_s = 5.0
    with trio.move_on_after(2.0):
        await s.gateway.answer(chat("one/m1"), arrival(s))
    assert usages(s) == [NOTHING]
    assert s.record.usage_source is None


@pytest.mark.parametrize("reads", [0, 1, 2])
async def test_a_stream_that_its_client_leaves_has_used_what_it_has_said(autojump_clock: MockClock, reads: int) -> None:
    s = setting({"one": Reply(body=[ROLE, chunk({"content": "hello"}), 1.0, chunk({"content": " world"}), 9.0, *END])})
    answer = await s.gateway.answer(chat("one/m1", stream=True), arrival(s))
    assert isinstance(answer, StreamAnswer)
    for _ in range(reads):
        await answer.receive()
    answer.close()
    # "hello" has five characters, "hello world" eleven.
    expected = (8, 3 if reads == 2 else 2, "estimated")
    assert usages(s) == [expected]
    assert (s.record.prompt_tokens, s.record.completion_tokens, s.record.usage_source) == expected


async def test_a_stream_whose_upstream_says_nothing_of_usage_is_estimated(autojump_clock: MockClock) -> None:
    s = setting({"one": Reply(body=[ROLE, chunk({"content": "hello"}), chunk({}, "stop"), b"data: [DONE]\n\n"])})
    await stream(s, chat("one/m1", stream=True))
    assert (s.record.outcome, *usages(s)) == ("ok", (8, 2, "estimated"))


async def test_an_attempt_that_ended_at_once_has_ended_then(autojump_clock: MockClock) -> None:
    s = setting({"one": refused(), "two": completion()})
    await plain(s, chat("both"))
    assert [(a.started_ms, a.ended_ms) for a in s.record.attempts] == [(0.0, 0.0), (0.0, 500.0)]
