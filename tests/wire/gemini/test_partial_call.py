from typing import Any

import pytest

from clawgw.wire.events import MAX_EVENT_BYTES
from clawgw.wire.failure import Kind, WireError
from clawgw.wire.gemini.partial_call import PartialCall
from tests.wire.gemini.answers import answer, choices_of, events_of, sse


def piece(path: str, **value: Any) -> dict[str, Any]:
    return {"jsonPath": path, **value}


def put_together(*pieces: dict[str, Any]) -> Any:
    call = PartialCall({"functionCall": {"name": "f"}})
    for item in pieces:
        call.add({"partialArgs": [item]})
    return call.whole()["functionCall"]["args"]


def test_values_of_every_type() -> None:
    assert put_together(
        piece("$.text", stringValue="a", willContinue=True),
        piece("$.text", stringValue="b"),
        piece("$.number", numberValue=1.5),
        piece("$.flag", boolValue=True),
        piece("$.nothing", nullValue="NULL_VALUE"),
    ) == {"text": "ab", "number": 1.5, "flag": True, "nothing": None}


def test_places_of_every_kind() -> None:
    assert put_together(
        piece("$.list[0].name", stringValue="a"),
        piece("$.list[1]['a b']", stringValue="b"),
        piece('$["list"][2]', numberValue=3),
        piece("$.list[1]['a b']", stringValue="c"),
        piece("$['']", stringValue="d"),
    ) == {"list": [{"name": "a"}, {"a b": "bc"}, 3], "": "d"}


@pytest.mark.parametrize(
    "path", ["", "$", "$.", "$.a[", "$.a[b]", "$..a", "$.list[5]", "$.text.a", "$.list.a", "$[0]", "$" + ".a" * 200]
)
def test_places_that_cannot_be(path: str) -> None:
    with pytest.raises(WireError) as caught:
        put_together(piece("$.text", stringValue="x"), piece("$.list[0]", numberValue=1), piece(path, numberValue=1))
    assert caught.value.failure.kind is Kind.INVALID


def test_arguments_are_bounded() -> None:
    with pytest.raises(WireError) as caught:
        put_together(*[piece("$.a", stringValue="x" * (MAX_EVENT_BYTES // 4))] * 4)
    assert caught.value.failure.kind is Kind.TOO_LARGE


def test_a_streamed_call_is_handed_out_whole() -> None:
    def part(**call: Any) -> dict[str, Any]:
        return answer({"functionCall": call}, finish=None)

    events = events_of(
        [
            sse(
                answer(
                    {"functionCall": {"name": "f", "id": "c", "willContinue": True}, "thoughtSignature": "c2ln"},
                    finish=None,
                ),
                part(partialArgs=[piece("$.a", stringValue="x", willContinue=True)], willContinue=True),
                part(partialArgs=[piece("$.a", stringValue="y")], willContinue=True),
                part(),
                part(name="g"),
                part(name="h", partialArgs=[piece("$.b", numberValue=1)]),
                answer({"text": ""}),
            )
        ]
    )
    calls = [call for choice in choices_of(events) for call in choice["delta"].get("tool_calls", ())]
    assert calls == [
        {
            "index": 0,
            "id": "c",
            "type": "function",
            "function": {"name": "f", "arguments": '{"a":"xy"}'},
            "extra_content": {"google": {"thought_signature": "c2ln"}},
        },
        {"index": 1, "id": "call_r1_1", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        {"index": 2, "id": "call_r1_2", "type": "function", "function": {"name": "h", "arguments": '{"b":1}'}},
    ]
    assert choices_of(events)[-1]["finish_reason"] == "tool_calls"
