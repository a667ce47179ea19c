"""Mistakes that other gateways made with Gemini, by their number in the list of traps."""

import json

import orjson
import pytest

from clawgw.wire.codec import WireTarget
from clawgw.wire.events import Chunk, Done, Failed, UsageReport
from clawgw.wire.failure import Kind
from clawgw.wire.gemini.request import build_chat
from clawgw.wire.gemini.response import parse_chat
from clawgw.wire.request import ChatRequest
from tests.wire.gemini.answers import NOW, TARGET, Json, answer, called, choices_of, events_of, joined, sse
from tests.wire.gemini.golden import USER, WEATHER, WEATHER_TOOL, call


def sent(model: str, **body: object) -> Json:
    request = ChatRequest({"model": model, **body}, model, stream=False, include_usage=False)
    decoded: Json = json.loads(build_chat(request, WireTarget("google", model)).body)
    return decoded


def test_trap_7_empty_arguments_are_an_empty_object_both_ways() -> None:
    completion = parse_chat(orjson.dumps(answer(called("f"))), TARGET, NOW)
    assert completion.body["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == "{}"
    contents = sent("gemini-2.5-flash", messages=[{"role": "assistant", "tool_calls": [call("c", "f", "")]}])[
        "contents"
    ]
    assert contents[0]["parts"] == [{"functionCall": {"name": "f", "args": {}}}]


def test_trap_10_cached_tokens_are_counted_once() -> None:
    counts = {"promptTokenCount": 100, "cachedContentTokenCount": 90, "candidatesTokenCount": 1}
    usage = parse_chat(orjson.dumps(answer({"text": "a"}, usageMetadata=counts)), TARGET, NOW).usage
    assert usage is not None
    assert (usage.prompt, usage.cached, usage.body["total_tokens"]) == (100, 90, 101)


def test_trap_11_thought_signatures_make_the_round_trip() -> None:
    said = parse_chat(orjson.dumps(answer(called("f", {}, thoughtSignature="c2ln"), called("g", {}))), TARGET, NOW)
    message = said.body["choices"][0]["message"]
    contents = sent("gemini-3-flash-preview", messages=[USER, message])["contents"]
    assert [part.get("thoughtSignature") for part in contents[1]["parts"]] == ["c2ln", None]


def test_trap_11_a_foreign_step_is_signed_so_that_it_is_not_refused() -> None:
    message = {"role": "assistant", "tool_calls": [call("a", "f", "{}"), call("b", "f", "{}")]}
    parts = sent("gemini-3-flash-preview", messages=[USER, message])["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == ["skip_thought_signature_validator", None]
    parts = sent("gemini-2.5-flash", messages=[USER, message])["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == [None, None]


def test_trap_12_stop_after_a_function_call_is_tool_calls() -> None:
    events = events_of([sse(answer(called("f"), finish=None), answer({"text": ""}, finish="STOP"))])
    assert choices_of(events)[-1]["finish_reason"] == "tool_calls"
    assert parse_chat(orjson.dumps(answer(called("f"))), TARGET, NOW).finish_reason == "tool_calls"


def test_trap_13_parallel_calls_have_an_index_each() -> None:
    events = events_of([sse(answer(called("f"), called("g"), finish=None), answer(called("f")))])
    calls = [one for choice in choices_of(events) for one in choice["delta"].get("tool_calls", ())]
    assert [one["index"] for one in calls] == [0, 1, 2]
    assert len({one["id"] for one in calls}) == 3


def test_trap_14_a_schema_is_sent_unmodified() -> None:
    tools = sent("gemini-2.5-flash", messages=[USER], tools=[WEATHER_TOOL])["tools"]
    assert tools[0]["functionDeclarations"][0]["parametersJsonSchema"] == WEATHER["parameters"]
    assert "parameters" not in tools[0]["functionDeclarations"][0]


def test_trap_15_thoughts_are_completion_tokens() -> None:
    counts = {"promptTokenCount": 1, "candidatesTokenCount": 2, "thoughtsTokenCount": 30}
    usage = parse_chat(orjson.dumps(answer({"text": "a"}, usageMetadata=counts)), TARGET, NOW).usage
    assert usage is not None
    assert (usage.completion, usage.reasoning) == (32, 30)


def test_trap_16_usage_in_a_stream_replaces_and_never_adds() -> None:
    counts = [{"promptTokenCount": 10, "candidatesTokenCount": count} for count in (1, 2, 3)]
    events = events_of([sse(*(answer({"text": "a"}, usageMetadata=count) for count in counts))])
    reports = [event.usage for event in events if isinstance(event, UsageReport)]
    assert [(usage.prompt, usage.completion) for usage in reports] == [(10, 1), (10, 2), (10, 3)]


@pytest.mark.parametrize("candidate", [{}, {"content": {}}, {"content": {"role": "model"}}, {"content": {"parts": []}}])
def test_trap_17_a_candidate_without_parts_is_an_answer(candidate: Json) -> None:
    body = {"candidates": [{**candidate, "finishReason": "MAX_TOKENS"}]}
    completion = parse_chat(orjson.dumps(body), TARGET, NOW)
    assert completion.body["choices"][0]["message"]["content"] == ""
    events = events_of([sse(body)])
    assert choices_of(events)[0]["delta"] == {"role": "assistant"}
    assert choices_of(events)[-1]["finish_reason"] == completion.finish_reason == "length"
    assert events[-1] == Done()


ERROR = {
    "error": {
        "code": 429,
        "message": "Later.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "45.8379s"}],
    }
}


@pytest.mark.parametrize(
    "tail",
    [
        orjson.dumps(ERROR),
        orjson.dumps(ERROR, option=orjson.OPT_INDENT_2) + b"\n",
        orjson.dumps([ERROR]) + b"\n",
        b"\n" + orjson.dumps(ERROR) + b"\r\n\r\n",
        sse(ERROR),
    ],
)
def test_trap_18_an_error_in_mid_stream_is_seen_and_its_delay_obeyed(tail: bytes) -> None:
    events = events_of([sse(answer({"text": "a"}, finish=None)) + tail])
    assert joined(events, "content") == "a"
    last = events[-1]
    assert isinstance(last, Failed)
    assert (last.failure.kind, last.failure.retry_after_s) == (Kind.RATE_LIMITED, 45.8379)


def test_trap_25_an_error_in_mid_stream_is_the_last_event() -> None:
    events = events_of([sse({"error": {"code": 500, "message": "Oh."}}, answer({"text": "a"}))])
    assert [type(event) for event in events] == [Failed]


def test_trap_26_an_end_without_a_finish_reason_is_a_failure() -> None:
    last = events_of([sse(answer({"text": "a"}, finish=None))])[-1]
    assert isinstance(last, Failed)
    assert last.failure.kind is Kind.RESET


def test_trap_27_nothing_commits_before_the_first_content() -> None:
    events = events_of([sse(answer(finish=None), answer({"text": ""}, finish=None), answer({"text": "a"}))])
    commits = [event.commits for event in events if isinstance(event, Chunk)]
    assert commits == [False, True, False]
