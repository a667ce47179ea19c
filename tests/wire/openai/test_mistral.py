from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.wire.openai.dialects import MISTRAL
from clawgw.wire.openai.mistral import mistral_id
from tests.wire.openai.building import TOOL, USER, messages_sent, refused, sent

MODEL = "mistral-small-latest"


def call(call_id: str, arguments: str = "{}") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": "f", "arguments": arguments}}


def fitted(*messages: dict[str, Any], **body: Any) -> Any:
    return messages_sent(MISTRAL, MODEL, *messages, **body)


@given(st.text(max_size=60))
def test_ids_are_nine_letters_and_digits_and_always_the_same(call_id: str) -> None:
    short = mistral_id(call_id)
    assert len(short) == 9
    assert short.isascii()
    assert short.isalnum()
    assert mistral_id(call_id) == short
    assert mistral_id(short) == short


def test_mistral_s_own_ids_stay() -> None:
    assert mistral_id("D681PevKs") == "D681PevKs"
    for other in ("D681PevKs1", "D681Pev-s", "D681PevK", "D681PevKß"):
        assert mistral_id(other) != other


def test_names_of_fields_are_mistral_s() -> None:
    assert sent(MISTRAL, MODEL, max_completion_tokens=5, seed=7) == {"max_tokens": 5, "random_seed": 7}


def test_fields_it_answers_422_to_are_dropped_and_its_own_are_kept() -> None:
    kept: dict[str, Any] = {
        "safe_prompt": True,
        "metadata": {"a": "b"},
        "prompt_cache_key": "k",
        "prediction": {},
        "n": 2,
    }
    dropped = {"user": "u", "store": True, "logit_bias": {}, "verbosity": "low", "safety_identifier": "s"}
    assert sent(MISTRAL, MODEL, **kept, **dropped) == kept


@pytest.mark.parametrize("field", ["functions", "function_call"])
def test_the_legacy_form_of_tools_is_refused(field: str) -> None:
    assert refused(MISTRAL, MODEL, **{field: [{"name": "f"}]}).param == field


def test_stream_options_do_not_go_out() -> None:
    assert sent(MISTRAL, MODEL, stream=True, stream_options={"include_usage": True}) == {"stream": True}


@pytest.mark.parametrize(("asked", "effort"), [("none", "none"), ("minimal", "none"), ("low", "high"), ("max", "high")])
def test_reasoning_effort_is_all_or_none(asked: str, effort: str) -> None:
    assert sent(MISTRAL, MODEL, reasoning_effort=asked) == {"reasoning_effort": effort}


def test_roles_and_names() -> None:
    assert fitted({"role": "developer", "content": "d"}, {**USER, "name": "u"}) == [
        {"role": "system", "content": "d"},
        USER,
    ]
    tool = {"role": "tool", "tool_call_id": "D681PevKs", "content": "r", "name": "f"}
    assert fitted(USER, tool)[1] == tool


def test_an_assistant_at_the_end_is_a_prefix() -> None:
    assert fitted(USER, {"role": "assistant", "content": "I am"})[1] == {
        "role": "assistant",
        "content": "I am",
        "prefix": True,
    }


def test_fields_of_openai_s_answers_are_stripped_from_history() -> None:
    answer: dict[str, Any] = {
        "role": "assistant",
        "content": "a",
        "refusal": None,
        "annotations": [],
        "audio": {"id": "x"},
    }
    assert fitted(USER, answer, USER)[1] == {"role": "assistant", "content": "a"}


def test_calls_keep_only_what_the_schema_has() -> None:
    history = {"role": "assistant", "content": None, "tool_calls": [{**call("D681PevKs"), "index": 0, "odd": 1}]}
    result = {"role": "tool", "tool_call_id": "D681PevKs", "content": "r"}
    assert fitted(USER, history, result)[1]["tool_calls"] == [call("D681PevKs")]


@pytest.mark.parametrize(
    ("part", "mistral_s"),
    [
        ({"type": "text", "text": "a", "cache_control": {}}, {"type": "text", "text": "a"}),
        ({"type": "refusal", "refusal": "no"}, {"type": "text", "text": "no"}),
        (
            {"type": "image_url", "image_url": {"url": "https://x"}, "prompt_cache_breakpoint": {}},
            {"type": "image_url", "image_url": {"url": "https://x"}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}},
            {"type": "input_audio", "input_audio": "QUJD"},
        ),
        ({"type": "input_audio", "input_audio": "QUJD"}, {"type": "input_audio", "input_audio": "QUJD"}),
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,QUJD", "filename": "a.pdf"}},
            {"type": "document_url", "document_url": "data:application/pdf;base64,QUJD", "document_name": "a.pdf"},
        ),
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,QUJD"}},
            {"type": "document_url", "document_url": "data:application/pdf;base64,QUJD"},
        ),
        ({"type": "file", "file": {"file_id": "f1"}}, {"type": "file", "file_id": "f1"}),
        ({"type": "document_url", "document_url": "https://x"}, {"type": "document_url", "document_url": "https://x"}),
    ],
)
def test_parts_are_mistral_s(part: dict[str, Any], mistral_s: dict[str, Any]) -> None:
    assert fitted({"role": "user", "content": [part]}) == [{"role": "user", "content": [mistral_s]}]


def test_thoughts_go_back_as_a_chunk_where_the_model_thinks() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    text = {"type": "text", "text": "a"}
    answer = {"role": "assistant", "content": "a", "reasoning_content": "hm"}
    parts = {**answer, "content": [text]}
    silent = {**answer, "content": None}

    def content(message: dict[str, Any], model: str = "magistral-medium-latest", **body: Any) -> Any:
        return messages_sent(MISTRAL, model, USER, message, USER, **body)[1]["content"]

    assert content(answer) == content(parts) == [thought, text]
    assert content(silent) == [thought]
    assert content(answer, MODEL, reasoning_effort="max") == [thought, text]
    assert content(answer, MODEL) == "a"
    assert content({"role": "assistant", "content": "a", "reasoning": "hm"}) == [thought, text]
    assert content({"role": "assistant", "content": "a"}) == "a"


def test_a_function_without_parameters_gets_empty_ones() -> None:
    bare = {"type": "function", "function": {"name": "g"}}
    other = {"type": "web_search"}
    assert sent(MISTRAL, MODEL, tools=[TOOL, bare, other])["tools"] == [
        TOOL,
        {"type": "function", "function": {"name": "g", "parameters": {"type": "object", "properties": {}}}},
        other,
    ]
