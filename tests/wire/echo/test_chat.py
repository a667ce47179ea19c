import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.errors import InvalidRequest
from clawgw.wire.checks.parse import check_chat_request
from clawgw.wire.echo.chat import answer_chat
from clawgw.wire.echo.tokens import EchoAnswer
from clawgw.wire.events import Chunk, Done, Event, UsageReport
from clawgw.wire.usage import Usage

NOW = 1_700_000_000.9
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}, "days": {}},
            "required": ["city", "unit"],
        },
    },
}
CLOCK = {"type": "function", "function": {"name": "get_time"}}
ARGUMENTS = '{"city":"Rain in Oslo?","unit":"celsius"}'


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def ask(content: Any = "Rain in Oslo?", **fields: Any) -> EchoAnswer:
    messages = content if isinstance(content, list) else [user(content)]
    return answer_chat(check_chat_request({"model": "echo", "messages": messages, **fields}), NOW)


def message(answer: EchoAnswer, choice: int = 0) -> dict[str, Any]:
    said: dict[str, Any] = answer.body["choices"][choice]["message"]
    return said


def finish_reasons(answer: EchoAnswer) -> list[str]:
    return [choice["finish_reason"] for choice in answer.body["choices"]]


def test_a_whole_answer() -> None:
    body = ask("Hello world").body
    name = body.pop("id")
    assert name.startswith("chatcmpl-")
    assert body == {
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "echo",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello world", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 4,
            "completion_tokens": 4,
            "total_tokens": 8,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }


def test_a_stream_says_the_same_token_by_token() -> None:
    events = list(ask("Hello", n=2).events)
    assert [tokens for _, tokens in events] == [0, 1, 1, 0, 0, 1, 1, 0, 0, 0]
    deltas = [event.body["choices"][0] for event, _ in events if isinstance(event, Chunk)]
    assert [(choice["index"], choice["delta"], choice["finish_reason"]) for choice in deltas] == [
        (index, delta, reason)
        for index in (0, 1)
        for delta, reason in [
            ({"role": "assistant", "content": ""}, None),
            ({"content": "Hell"}, None),
            ({"content": "o"}, None),
            ({}, "stop"),
        ]
    ]
    assert [type(event) for event, _ in events[-2:]] == [UsageReport, Done]


def test_the_same_request_has_the_same_answer_and_another_one_another_id() -> None:
    assert ask("a").body == ask("a").body
    assert ask("a").body["id"] != ask("b").body["id"]


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([{"role": "system", "content": "Be kind."}, user("one"), {"role": "assistant", "content": "two"}], "one"),
        ([user("one"), user("two")], "two"),
        ([user([{"type": "text", "text": "one "}, {"type": "text", "text": "two"}])], "one two"),
        ([user([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}])], "(no text)"),
        ([{"role": "system", "content": "Begin."}], "Begin."),
        ([user("one"), {"role": "tool", "tool_call_id": "call_1", "content": "4 degrees"}], "4 degrees"),
        ([user("one"), {"role": "function", "name": "f", "content": "5 degrees"}], "5 degrees"),
    ],
)
def test_what_is_echoed(messages: list[dict[str, Any]], text: str) -> None:
    assert message(ask(messages))["content"] == text


def test_every_message_counts_for_the_prompt() -> None:
    assert ask([{"role": "system", "content": "Be kind."}, user("Hello")]).usage.prompt == 3 + 2


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_limits_and_stop_sequences_hold(limit: str) -> None:
    answer = ask("one two three", **{limit: 2})
    assert (message(answer)["content"], finish_reasons(answer)) == ("one two", ["length"])
    answer = ask("one two three", stop=[" three", " two"])
    assert (message(answer)["content"], finish_reasons(answer)) == ("one", ["stop"])


def test_several_choices_share_the_longest_answer() -> None:
    answer = ask("x " * 1100, n=128)
    assert finish_reasons(answer) == ["length"] * 128
    assert answer.usage.completion == 131_072


@pytest.mark.parametrize(
    ("tool_choice", "name"),
    [
        ({}, "get_weather"),
        ({"tool_choice": "auto"}, "get_weather"),
        ({"tool_choice": "required", "parallel_tool_calls": True}, "get_weather"),
        ({"tool_choice": {"type": "function", "function": {"name": "get_time"}}}, "get_time"),
        (
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "auto", "tools": [{}, CLOCK]},
                }
            },
            "get_time",
        ),
    ],
)
def test_one_function_is_called(tool_choice: dict[str, Any], name: str) -> None:
    answer = ask(tools=[WEATHER, CLOCK], **tool_choice)
    (call,) = message(answer)["tool_calls"]
    assert call["function"]["name"] == name
    assert message(answer)["content"] is None
    assert finish_reasons(answer) == ["tool_calls"]


def test_arguments_fit_the_schema_and_every_choices_call_has_an_id_of_its_own() -> None:
    answer = ask(tools=[WEATHER], n=2)
    calls = [message(answer, choice)["tool_calls"][0] for choice in (0, 1)]
    assert [call["function"]["arguments"] for call in calls] == [ARGUMENTS] * 2
    assert [call["type"] for call in calls] == ["function"] * 2
    assert len({call["id"] for call in calls}) == 2
    (call,) = message(ask(tools=[CLOCK]))["tool_calls"]
    assert call["function"]["arguments"] == "{}"


def test_arguments_come_in_fragments() -> None:
    chunks = [event.body["choices"][0] for event, _ in ask(tools=[WEATHER]).events if isinstance(event, Chunk)]
    assert chunks[0]["delta"] == {"role": "assistant", "content": None}
    assert chunks[-1]["finish_reason"] == "tool_calls"
    calls = [chunk["delta"]["tool_calls"][0] for chunk in chunks[1:-1]]
    assert {call["index"] for call in calls} == {0}
    assert calls[0]["function"] == {"name": "get_weather", "arguments": ""}
    assert all(set(call) == {"index", "function"} for call in calls[1:])
    assert len(calls) > 5
    assert "".join(call["function"]["arguments"] for call in calls) == ARGUMENTS


def test_arguments_are_cut_at_a_limit() -> None:
    answer = ask(tools=[WEATHER], max_tokens=1)
    assert message(answer)["tool_calls"][0]["function"]["arguments"] == '{"ci'
    assert finish_reasons(answer) == ["length"]


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": []},
        {"tools": None},
        {"tools": [WEATHER], "tool_choice": "none"},
        {"tools": [{"type": "custom", "custom": {"name": "shell"}}]},
        {"tools": [WEATHER], "tool_choice": {"type": "custom", "custom": {"name": "shell"}}},
        {"tools": [WEATHER], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}},
    ],
)
def test_without_a_function_to_call_it_answers_with_text(fields: dict[str, Any]) -> None:
    assert message(ask(**fields))["content"] == "Rain in Oslo?"


def test_after_a_tools_result_it_answers_with_that() -> None:
    messages = [user("Rain?"), {"role": "tool", "tool_call_id": "call_1", "content": "No rain."}]
    assert message(ask(messages, tools=[WEATHER]))["content"] == "No rain."


def test_a_function_that_is_not_offered_cannot_be_called() -> None:
    with pytest.raises(InvalidRequest, match="no function 'get_time'") as caught:
        ask(tools=[WEATHER], tool_choice={"type": "function", "function": {"name": "get_time"}})
    assert caught.value.param == "tool_choice"


@pytest.mark.parametrize(
    ("response_format", "document"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, {"text": "Rain in Oslo?"}),
        ({"type": "json_schema", "json_schema": {"name": "n"}}, {"text": "Rain in Oslo?"}),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": WEATHER["function"]["parameters"]}},  # type: ignore[index]  # it is a dict of dicts
            {"city": "Rain in Oslo?", "unit": "celsius"},
        ),
    ],
)
def test_a_json_document_where_one_is_asked_for(response_format: dict[str, Any], document: object) -> None:
    content = message(ask(response_format=response_format))["content"]
    assert content == "Rain in Oslo?" if document is None else json.loads(content) == document


def test_it_thinks_first_where_effort_is_given() -> None:
    answer = ask("Hello", reasoning_effort="low")
    thought = message(answer)["reasoning_content"]
    assert thought == "The user would like to hear that again."
    assert message(answer)["content"] == "Hello"
    kinds = [next(iter(delta)) for delta, tokens in deltas_of(answer) if tokens]
    assert kinds == ["reasoning_content"] * answer.usage.reasoning + ["content"] * 2
    assert answer.usage.reasoning == len(kinds) - 2 > 5
    assert answer.usage.completion == len(kinds)


def test_thinking_counts_for_the_limit() -> None:
    answer = ask("Hello", reasoning_effort="high", max_completion_tokens=1)
    assert (message(answer)["reasoning_content"], message(answer)["content"]) == ("The", "")
    assert finish_reasons(answer) == ["length"]


@pytest.mark.parametrize("effort", ["none", None])
def test_no_effort_no_thought(effort: str | None) -> None:
    assert "reasoning_content" not in message(ask("Hello", reasoning_effort=effort))


def deltas_of(answer: EchoAnswer) -> list[tuple[dict[str, Any], int]]:
    return [(event.body["choices"][0]["delta"], tokens) for event, tokens in answer.events if isinstance(event, Chunk)]


def merged(events: list[Event]) -> tuple[dict[int, dict[str, Any]], Usage | None]:
    """What a client puts together from a stream: text, thought, call and finish reason of each choice."""
    choices: dict[int, dict[str, Any]] = {}
    usage = None
    for event in events:
        match event:
            case UsageReport(usage=reported):
                usage = reported
            case Chunk(body={"choices": [{"index": index, "delta": delta, "finish_reason": reason}]}):
                parts = choices.setdefault(index, {"content": "", "reasoning_content": "", "arguments": ""})
                for key in ("content", "reasoning_content"):
                    parts[key] += delta.get(key) or ""
                for call in delta.get("tool_calls", ()):
                    parts["arguments"] += call["function"]["arguments"]
                parts["finish_reason"] = reason
    return choices, usage


@given(
    text=st.text(max_size=60),
    fields=st.fixed_dictionaries(
        {},
        optional={
            "n": st.integers(1, 3),
            "max_tokens": st.integers(1, 20),
            "stop": st.lists(st.text(min_size=1, max_size=3), max_size=4),
            "reasoning_effort": st.sampled_from(["none", "low"]),
            "tools": st.just([WEATHER]),
            "response_format": st.just({"type": "json_object"}),
        },
    ),
)
def test_a_stream_adds_up_to_the_whole_answer(text: str, fields: dict[str, Any]) -> None:
    answer = ask(text, **fields)
    paced = list(answer.events)
    assert sum(tokens for _, tokens in paced) == answer.usage.completion
    choices, usage = merged([event for event, _ in paced])
    assert usage == answer.usage
    for choice in answer.body["choices"]:
        said = choice["message"]
        assert choices[choice["index"]] == {
            "content": said["content"] or "",
            "reasoning_content": said.get("reasoning_content", ""),
            "arguments": said["tool_calls"][0]["function"]["arguments"] if "tool_calls" in said else "",
            "finish_reason": choice["finish_reason"],
        }
