from typing import Any

import pytest

from clawgw.errors import InvalidRequest
from clawgw.wire.checks.parse import check_text_request
from clawgw.wire.echo.text import answer_text
from clawgw.wire.echo.tokens import EchoAnswer
from clawgw.wire.events import Chunk, Done, UsageReport


def ask(prompt: Any, **fields: Any) -> EchoAnswer:
    return answer_text(check_text_request({"model": "echo", "prompt": prompt, **fields}), 1_700_000_000.9)


def said(answer: EchoAnswer) -> list[tuple[str, str]]:
    return [(choice["text"], choice["finish_reason"]) for choice in answer.body["choices"]]


def test_a_whole_answer() -> None:
    body = ask("Hello").body
    assert body.pop("id").startswith("cmpl-")
    assert body == {
        "object": "text_completion",
        "created": 1_700_000_000,
        "model": "echo",
        "choices": [{"index": 0, "text": "Hello", "logprobs": None, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 2,
            "completion_tokens": 2,
            "total_tokens": 4,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }


@pytest.mark.parametrize(
    ("prompt", "fields", "choices"),
    [
        (["a", "b"], {}, [("a", "stop"), ("b", "stop")]),
        (["a", "b"], {"n": 2}, [("a", "stop"), ("a", "stop"), ("b", "stop"), ("b", "stop")]),
        ([1, 22], {}, [("1 22", "stop")]),
        ([[1, 22], [3]], {}, [("1 22", "stop"), ("3", "stop")]),
        ("one two three", {"max_tokens": 2}, [("one two", "length")]),
        ("one two three", {"max_tokens": 0}, [("", "length")]),
        ("one two three", {"stop": " two"}, [("one", "stop")]),
        ("one two", {"echo": True, "max_tokens": 1}, [("one twoone", "length")]),
    ],
)
def test_what_is_said(prompt: Any, fields: dict[str, Any], choices: list[tuple[str, str]]) -> None:
    assert said(ask(prompt, **fields)) == choices


def test_a_stream_says_the_same_token_by_token() -> None:
    *chunks, (report, _), (end, _) = ask(["Hello", "b"]).events
    assert isinstance(report, UsageReport)
    assert isinstance(end, Done)
    seen = []
    for event, tokens in chunks:
        assert isinstance(event, Chunk)
        (choice,) = event.body["choices"]
        seen.append((choice["index"], choice["text"], choice["finish_reason"], event.commits, tokens))
    assert seen == [
        (0, "Hell", None, True, 1),
        (0, "o", None, True, 1),
        (0, "", "stop", False, 0),
        (1, "b", None, True, 1),
        (1, "", "stop", False, 0),
    ]


def test_too_many_choices_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="at most 2048") as caught:
        ask(["a"] * 17, n=128)
    assert caught.value.param == "n"
