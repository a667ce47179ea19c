import orjson
import pytest

from clawgw.wire.checks.parse import parse_chat_request, parse_embeddings_request, parse_text_request

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize(
    ("fields", "longest"),
    [
        ({}, None),
        ({"max_tokens": 9}, 9),
        ({"max_completion_tokens": 7}, 7),
        ({"max_completion_tokens": 7, "max_tokens": 9}, 7),
    ],
)
def test_a_chat_has_two_names_for_its_longest_answer(fields: dict[str, int], longest: int | None) -> None:
    assert parse_chat_request(orjson.dumps(CHAT | fields)).max_tokens == longest


def test_what_an_endpoint_does_not_have_says_nothing_there() -> None:
    text = {"model": "m", "prompt": "hi", "max_tokens": 0, "max_completion_tokens": "x"}
    assert parse_text_request(orjson.dumps(text)).max_tokens == 0
    assert parse_embeddings_request(orjson.dumps({"model": "m", "input": "hi", "max_tokens": -1})).max_tokens is None
