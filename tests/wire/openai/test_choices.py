from typing import Any

import pytest

from clawgw.wire.openai.choices import ChatChoices, TextChoices


def fit(*choices: dict[str, Any]) -> list[dict[str, Any] | None]:
    """Each choice as it goes on, None where nothing is left of it."""
    chat = ChatChoices()
    return [choice if chat.fit(choice, "c1") is not None else None for choice in choices]


def delta(delta: Any, finish_reason: Any = None, index: Any = 0) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": finish_reason}


def calls(*fragments: dict[str, Any]) -> list[dict[str, Any]]:
    """The fragments as they go on, each in a chunk of its own."""
    fitted = fit(*(delta({"tool_calls": [fragment]}) for fragment in fragments))
    return [fragment for choice in fitted if choice for fragment in choice["delta"]["tool_calls"]]


def test_the_role_is_in_the_first_delta_and_in_no_other() -> None:
    assert fit(delta({"content": "a"}), delta({"role": "assistant", "content": "b"})) == [
        delta({"role": "assistant", "content": "a"}),
        delta({"content": "b"}),
    ]


def test_choices_are_told_apart_by_their_index() -> None:
    first, second = fit(delta({"content": "a"}, index=0), delta({"content": "b"}, index=1))
    assert first == delta({"role": "assistant", "content": "a"}, index=0)
    assert second == delta({"role": "assistant", "content": "b"}, index=1)


@pytest.mark.parametrize("choice", [{}, {"delta": None}, {"delta": "x", "index": "0"}])
def test_what_is_missing_is_filled(choice: dict[str, Any]) -> None:
    assert fit(choice) == [delta({"role": "assistant"})]


def test_the_finish_reason_comes_once_and_nothing_empty_after_it() -> None:
    assert fit(
        delta({"content": "a"}),
        delta({}, "end_turn"),
        delta({"role": "assistant", "content": ""}),
        delta({}, "stop"),
    ) == [delta({"role": "assistant", "content": "a"}), delta({}, "stop"), None, None]


def test_content_after_the_finish_reason_is_not_lost() -> None:
    assert fit(delta({}, "stop"), delta({"content": "late"}, "stop"))[1] == delta({"content": "late"})


def test_whole_means_every_choice_has_finished() -> None:
    chat = ChatChoices()
    assert not chat.are_whole()
    chat.fit(delta({"content": "a"}), "c1")
    chat.fit(delta({"content": "b"}, "stop", index=1), "c1")
    assert not chat.are_whole()
    chat.fit(delta({}, "length"), "c1")
    assert chat.are_whole()


@pytest.mark.parametrize(("content", "commits"), [("a", True), ("", False), (None, False)])
def test_content_commits(content: str | None, commits: bool) -> None:  # noqa: FBT001 - a test case
    assert ChatChoices().fit(delta({"content": content}), "c1") is commits


def test_id_type_and_name_of_a_call_come_once() -> None:
    name = {"name": "f", "arguments": '{"a"'}
    assert calls(
        {"index": 0, "id": "x", "type": "function", "function": dict(name)},
        {"index": 0, "id": "x", "type": "function", "function": {"name": "f", "arguments": ":1}"}},
        {"index": 0, "function": {"arguments": None}},
    ) == [
        {"index": 0, "id": "x", "type": "function", "function": name},
        {"index": 0, "function": {"arguments": ":1}"}},
        {"index": 0, "function": {"arguments": ""}},
    ]


def test_a_name_that_comes_late_is_kept() -> None:
    assert calls(
        {"index": 0, "id": "x", "function": {"name": "", "arguments": ""}},
        {"index": 0, "function": {"name": "f", "arguments": "{}"}},
    )[1]["function"] == {"name": "f", "arguments": "{}"}


@pytest.mark.parametrize(
    ("fragments", "indexes"),
    [
        # No index, as some compatible servers send it: a new id or, without ids, a new name begins a call.
        ([{"id": "x", "function": {"name": "f"}}, {"id": "y", "function": {"name": "f"}}], [0, 1]),
        ([{"id": "x", "function": {"name": "f"}}, {"function": {"arguments": "{}"}}], [0, 0]),
        ([{"function": {"name": "f"}}, {"function": {"name": "g"}}], [0, 1]),
        # The same index for two calls.
        ([{"index": 0, "id": "x", "function": {"name": "f"}}, {"index": 0, "id": "y", "function": {}}], [0, 1]),
        # Beginning at 1.
        ([{"index": 1, "id": "x", "function": {"name": "f"}}, {"index": 2, "id": "y", "function": {}}], [0, 1]),
        # Two calls whose fragments alternate.
        ([{"index": 0, "id": "x"}, {"index": 1, "id": "y"}, {"index": 0}, {"index": 1}], [0, 1, 0, 1]),
    ],
)
def test_every_call_has_an_index_of_its_own(fragments: list[dict[str, Any]], indexes: list[int]) -> None:
    assert [fragment["index"] for fragment in calls(*fragments)] == indexes


def test_a_call_without_an_id_gets_one_of_its_own() -> None:
    first, second = calls({"index": 0, "function": {"name": "f"}}, {"index": 1, "id": 5, "function": {"name": "f"}})
    assert (first["id"], second["id"]) == ("call_c1_0_0", "call_c1_0_1")
    assert first["type"] == "function"


def test_a_call_without_arguments_ends_with_an_empty_object() -> None:
    _, last = fit(
        delta({"tool_calls": [{"index": 0, "id": "x", "function": {"name": "f", "arguments": ""}}]}),
        delta({}, "tool_calls"),
    )
    assert last == delta({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}, "tool_calls")


def test_a_custom_tool_s_input_is_left_alone() -> None:
    custom = {"index": 0, "id": "x", "type": "custom", "custom": {"name": "f", "input": "a"}}
    first, last = fit(delta({"tool_calls": [dict(custom)]}), delta({}, "tool_calls"))
    assert first == delta({"role": "assistant", "tool_calls": [custom]})
    assert last == delta({}, "tool_calls")


def test_arguments_as_an_object_become_text() -> None:
    (call,) = calls({"index": 0, "id": "x", "function": {"name": "f", "arguments": {"a": 1}}})
    assert call["function"]["arguments"] == '{"a":1}'


@pytest.mark.parametrize("tool_calls", [None, [], "x", [5]])
def test_no_calls_are_none(tool_calls: Any) -> None:
    assert fit(delta({"tool_calls": tool_calls})) == [delta({"role": "assistant"})]


def test_text_choices() -> None:
    text = TextChoices()
    first: dict[str, Any] = {"text": "a", "index": 0}
    other: dict[str, Any] = {"text": None, "index": 1, "finish_reason": "model_length"}
    last: dict[str, Any] = {"finish_reason": "stop"}
    assert not text.are_whole()
    assert text.fit(first, "c1") is True
    assert text.fit(other, "c1") is False
    assert not text.are_whole()
    assert text.fit(last, "c1") is False
    assert text.are_whole()
    assert first == {"text": "a", "index": 0, "finish_reason": None}
    assert other == {"text": "", "index": 1, "finish_reason": "length"}
    assert last == {"text": "", "index": 0, "finish_reason": "stop"}


def test_an_empty_finish_reason_is_none() -> None:
    chat, text = ChatChoices(), TextChoices()
    assert fit(delta({"content": "a"}, ""), delta({"content": "b"}, "stop")) == [
        delta({"role": "assistant", "content": "a"}),
        delta({"content": "b"}, "stop"),
    ]
    chat.fit(delta({"content": "a"}, ""), "c1")
    text.fit({"index": 0, "text": "a", "finish_reason": ""}, "c1")
    assert not chat.are_whole()
    assert not text.are_whole()


@pytest.mark.parametrize(
    "late",
    [
        {"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0K"}}]},
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]},
        {"annotations": [{"type": "url_citation", "url_citation": {"url": "https://example.com"}}]},
    ],
)
def test_whatever_a_delta_holds_is_not_lost_after_the_finish_reason(late: dict[str, Any]) -> None:
    assert fit(delta({}, "stop"), delta({"role": "assistant", "content": "", **late}))[1] == delta(
        {"content": "", **late}
    )


def test_mistral_writes_null_for_an_id_that_is_none() -> None:
    first, second = calls(
        {"index": 0, "id": "D681PevKs", "function": {"name": "f", "arguments": ""}},
        {"index": 0, "id": "null", "function": {"name": "", "arguments": "{}"}},
    )
    assert first["id"] == "D681PevKs"
    assert second == {"index": 0, "function": {"arguments": "{}"}}


def test_a_call_whose_only_id_is_null_gets_one() -> None:
    (only,) = calls({"index": 0, "id": "null", "function": {"name": "f", "arguments": "{}"}})
    assert only["id"] == "call_c1_0_0"
