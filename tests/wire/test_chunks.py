from typing import Any

import orjson
import pytest

from clawgw.wire.chunks import SLOT, ChunkBuilder


def test_the_role_comes_first_in_each_choice_and_once() -> None:
    builder = ChunkBuilder("c1", "m", 7)
    first = builder.delta({"content": "a"})
    assert first.body == {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "m",
        "choices": [
            {"index": 0, "delta": {"role": "assistant", "content": "a"}, "logprobs": None, "finish_reason": None}
        ],
    }
    assert builder.delta({"content": "b"}).body["choices"][0]["delta"] == {"content": "b"}
    other = builder.delta({"content": "c"}, choice=1).body["choices"][0]
    assert (other["index"], other["delta"]) == (1, {"role": "assistant", "content": "c"})


def test_the_last_chunk_has_the_reason_and_an_empty_delta() -> None:
    last = ChunkBuilder("c1", "m", 7).finish("stop", choice=2)
    assert last.body["choices"] == [{"index": 2, "delta": {}, "logprobs": None, "finish_reason": "stop"}]
    assert not last.commits


@pytest.mark.parametrize(
    ("delta", "commits"),
    [
        ({}, False),
        ({"content": ""}, False),
        ({"content": None, "tool_calls": []}, False),
        ({"content": "a"}, True),
        ({"reasoning_content": "a"}, True),
        ({"reasoning": "a"}, True),
        ({"refusal": "no"}, True),
        ({"audio": {"id": "x"}}, True),
        ({"tool_calls": [{"index": 0}]}, True),
        ({"function_call": {"name": "f"}}, True),
    ],
)
def test_a_chunk_commits_when_it_brings_what_the_client_came_for(delta: dict[str, Any], commits: bool) -> None:  # noqa: FBT001 - a test case
    assert ChunkBuilder("c1", "m", 7).delta(delta).commits is commits


def test_a_passage_has_chunks_like_those_made_one_by_one() -> None:
    builder = ChunkBuilder("c%1\0", "m", 7)
    builder.delta({})
    for delta in (
        {"content": SLOT},
        {"content": SLOT},
        {"tool_calls": [{"index": 0, "function": {"arguments": SLOT}}]},
    ):
        strings = [b'"a"', b'"%s"']
        passage = builder.passage(delta, strings, ["a", "%s"])
        filled = [orjson.loads(orjson.dumps(delta).replace(orjson.dumps(SLOT), string)) for string in strings]
        assert passage.chunks() == [builder.delta(one) for one in filled]
