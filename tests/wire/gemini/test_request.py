import json
from typing import Any

import pytest

from clawgw.wire.codec import WireTarget
from clawgw.wire.failure import Kind, WireError
from clawgw.wire.gemini.request import build_chat
from clawgw.wire.request import ChatRequest
from tests.wire.gemini.golden import CLOCK_TOOL, GOLDENS, USER, Golden, call

Json = dict[str, Any]


def chat(body: Json, model: str = "gemini-2.5-flash") -> ChatRequest:
    return ChatRequest({"model": model, **body}, model, bool(body.get("stream")), include_usage=False)


def refusal(body: Json, model: str = "gemini-2.5-flash") -> str | None:
    with pytest.raises(WireError) as caught:
        build_chat(chat({"messages": [USER], **body}), WireTarget("google", model))
    assert caught.value.failure.kind is Kind.UNSUPPORTED
    assert caught.value.failure.message
    return caught.value.failure.param


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden.name)
def test_golden(golden: Golden) -> None:
    built = build_chat(chat(golden.request), WireTarget("google", golden.model, **golden.defaults))
    assert json.loads(built.body) == golden.body
    assert built.path == golden.path
    assert tuple(built.dropped) == golden.dropped


def test_a_request_is_left_as_it_was() -> None:
    for golden in GOLDENS:
        request = chat(golden.request)
        before = json.dumps(request.body)
        build_chat(request, WireTarget("google", golden.model))
        assert json.dumps(request.body) == before


@pytest.mark.parametrize(
    "model",
    [
        "",
        "a/b",
        "models/",
        "models/a/b",
        "models/../files",
        "../x",
        ".",
        "a?key=b",
        "a#b",
        "a:b",
        "a%2Fb",
        "a b",
        "a\n",
        "tunedModels/a?b",
        "é",
    ],
)
def test_a_model_name_cannot_change_the_path(model: str) -> None:
    assert refusal({}, model) == "model"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"audio": {"format": "wav", "voice": "a"}}, "audio"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"n": 9}, "n"),
        ({"response_format": {"type": "grammar"}}, "response_format"),
        ({"response_format": {"type": "json_object"}, "tools": [CLOCK_TOOL]}, "response_format"),
        ({"tools": [{"type": "custom", "custom": {"name": "a"}}]}, "tools"),
        ({"tools": [CLOCK_TOOL], "web_search_options": {}}, "tools"),
        ({"tools": [CLOCK_TOOL], "tool_choice": {"type": "custom", "custom": {"name": "a"}}}, "tool_choice"),
        (
            {
                "tools": [CLOCK_TOOL],
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "auto", "tools": [{"type": "custom"}]},
                },
            },
            "tool_choice",
        ),
    ],
)
def test_what_gemini_cannot_do_is_refused_by_name(body: Json, param: str) -> None:
    assert refusal(body) == param


@pytest.mark.parametrize(
    "message",
    [
        {"role": "function", "name": "f", "content": "1"},
        {"role": "assistant", "audio": {"id": "a"}},
        {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "f", "input": ""}}]},
        {"role": "assistant", "tool_calls": [call("c", "f", "not JSON")]},
        {"role": "assistant", "tool_calls": [call("c", "f", "[1]")]},
        {"role": "assistant", "tool_calls": [call("c", "f", '{"a":' * 300 + "1" + "}" * 300)]},
        {"role": "tool", "tool_call_id": "unknown", "content": "1"},
        {"role": "system", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}]},
    ],
)
def test_messages_that_gemini_cannot_take(message: Json) -> None:
    assert refusal({"messages": [message]}) == "messages"


def test_a_tool_result_is_text_only() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}
    messages = [
        {"role": "assistant", "tool_calls": [call("c", "f", "{}")]},
        {"role": "tool", "tool_call_id": "c", "content": [image]},
    ]
    assert refusal({"messages": messages}) == "messages"


def test_results_go_in_the_order_of_their_calls_also_where_ids_come_again() -> None:
    step = [
        {"role": "assistant", "tool_calls": [call("a", "f", "{}"), call("b", "f", "{}")]},
        {"role": "tool", "tool_call_id": "b", "content": "second"},
        {"role": "tool", "tool_call_id": "a", "content": "first"},
    ]
    built = build_chat(chat({"messages": [USER, *step, *step]}), WireTarget("google", "gemini-2.5-flash"))
    parts = [part for turn in json.loads(built.body)["contents"] for part in turn["parts"]]
    outputs = [part["functionResponse"]["response"]["output"] for part in parts if "functionResponse" in part]
    assert outputs == ["first", "second", "first", "second"]


@pytest.mark.parametrize("arguments", ["", " ", "\n"])
def test_arguments_of_nothing_are_an_empty_object(arguments: str) -> None:
    messages = [
        USER,
        {"role": "assistant", "content": None, "tool_calls": [call("c", "clock", arguments)]},
        {"role": "tool", "tool_call_id": "c", "content": "noon"},
    ]
    built = build_chat(chat({"messages": messages}), WireTarget("google", "gemini-2.5-flash"))
    assert json.loads(built.body)["contents"][1]["parts"] == [{"functionCall": {"name": "clock", "args": {}}}]
