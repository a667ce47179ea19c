"""Text completions through chat, both ways."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.wire.checks.parse import check_chat_request, check_text_request
from clawgw.wire.codec import Completion
from clawgw.wire.events import Chunk, Done, Failed, UsageReport
from clawgw.wire.failure import Failure, Kind, WireError
from clawgw.wire.text import chat_from_text, text_from_completion, text_from_events
from clawgw.wire.usage import Usage


def chat_body(**fields: Any) -> dict[str, Any]:
    return chat_from_text(check_text_request({"model": "m", "prompt": "Once", **fields})).body


def refused_param(**fields: Any) -> str | None:
    with pytest.raises(WireError) as caught:
        chat_body(**fields)
    assert caught.value.failure.kind is Kind.UNSUPPORTED
    return caught.value.failure.param


def chunk(*choices: dict[str, Any], commits: bool = True) -> Chunk:
    body = {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m", "choices": list(choices)}
    return Chunk(body, commits)


def delta(index: int = 0, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"index": index, "delta": fields, "logprobs": None, "finish_reason": finish}


def text(said: str, index: int = 0, finish: str | None = None) -> dict[str, Any]:
    return {"text": said, "index": index, "logprobs": None, "finish_reason": finish}


@pytest.mark.parametrize("prompt", ["Once", ["Once"]])
def test_the_prompt_is_a_users_message(prompt: Any) -> None:
    assert chat_body(prompt=prompt) == {"model": "m", "messages": [{"role": "user", "content": "Once"}]}


def test_what_both_endpoints_share_goes_on() -> None:
    shared = {
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 5,
        "temperature": 0.5,
        "top_p": 0.9,
        "presence_penalty": 1,
        "frequency_penalty": -1,
        "n": 2,
        "seed": 3,
        "stop": ["."],
        "logit_bias": {"1": 2},
        "user": "u",
        "metadata": {"k": "v"},
    }
    request = chat_from_text(check_text_request({"model": "m", "prompt": "Once", **shared}))
    assert request.body == {"model": "m", "messages": [{"role": "user", "content": "Once"}], **shared}
    assert (request.model, request.stream, request.include_usage) == ("m", True, True)


def test_what_was_never_checked_as_chat_stays_behind() -> None:
    assert "tools" not in chat_body(tools="rubbish")
    assert chat_body(messages="rubbish")["messages"] == [{"role": "user", "content": "Once"}]


def test_fields_at_the_value_that_asks_for_nothing_are_left_out() -> None:
    assert chat_body(suffix=None, echo=False, best_of=1, logprobs=None) == chat_body()
    assert chat_body(suffix="", best_of=0) == chat_body()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("suffix", "end"),
        ("echo", True),
        ("best_of", 2),
        ("logprobs", 0),
        ("max_tokens", 0),
        ("prompt", ["a", "b"]),
        ("prompt", [1, 2]),
        ("prompt", [[1, 2]]),
    ],
)
def test_what_chat_cannot_do_is_unsupported(field: str, value: Any) -> None:
    assert refused_param(**{field: value}) == field


@given(st.text(), st.floats(0, 2), st.integers(1, 128))
def test_the_chat_request_would_pass_the_checks_of_chat(prompt: str, temperature: float, n: int) -> None:
    body = chat_body(prompt=prompt, temperature=temperature, n=n)
    assert check_chat_request(body).body is body


def test_a_completion_becomes_a_text_completion() -> None:
    usage = Usage(prompt=3, completion=2)
    body = {
        "id": "c1",
        "object": "chat.completion",
        "created": 7,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": " upon", "reasoning_content": "Hm."},
                "finish_reason": "stop",
                "logprobs": None,
            },
            {"index": 1, "message": {"role": "assistant", "content": None, "refusal": "No."}, "finish_reason": "stop"},
            {"index": 2, "message": {"role": "assistant", "content": None}, "finish_reason": "length"},
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
        "system_fingerprint": "fp_1",
    }
    assert text_from_completion(Completion(body, usage, "stop")) == Completion(
        {
            "id": "c1",
            "object": "text_completion",
            "created": 7,
            "model": "m",
            "choices": [text(" upon", 0, "stop"), text("No.", 1, "stop"), text("", 2, "length")],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
            "system_fingerprint": "fp_1",
        },
        usage,
        "stop",
    )


def test_a_stream_becomes_one_of_text_completions() -> None:
    report, failed = UsageReport(Usage(1, 2)), Failed(Failure(Kind.RESET, "gone"))
    events = text_from_events(
        [
            chunk(delta(role="assistant", content=""), commits=False),
            chunk(delta(reasoning_content="Hm.")),
            chunk(delta(content=" upon")),
            chunk(delta(0, content=" a"), delta(1, role="assistant")),
            chunk(delta(finish="stop"), commits=False),
            chunk(commits=False),
            report,
            Done(),
            failed,
        ]
    )
    head = {"id": "c1", "object": "text_completion", "created": 7, "model": "m"}
    assert events == [
        Chunk({**head, "choices": [text(" upon")]}, commits=True),
        Chunk({**head, "choices": [text(" a")]}, commits=True),
        Chunk({**head, "choices": [text("", 0, "stop")]}, commits=False),
        report,
        Done(),
        failed,
    ]


def test_text_and_end_in_one_chunk_commit() -> None:
    (event,) = text_from_events([chunk(delta(content=".", finish="length"))])
    assert isinstance(event, Chunk)
    assert event.commits
    assert event.body["choices"] == [text(".", 0, "length")]


@pytest.mark.parametrize("choices", [None, "x", [1], [{"delta": None}], [{"delta": {"content": [1]}}], [{}]])
def test_a_chunk_of_odd_shape_is_nothing(choices: Any) -> None:
    assert text_from_events([Chunk({"choices": choices}, commits=False)]) == []
