from typing import Any

import pytest

from clawgw.wire.codec import Usage
from clawgw.wire.usage import usage_from_body, usage_from_counts


def test_counts_become_openai_s_usage_object() -> None:
    usage = usage_from_counts(100, 50, cached=40, cache_write=10, reasoning=30)
    assert usage == Usage(100, 50, 40, 10, 30, usage.body)
    assert usage.body == {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 10},
        "completion_tokens_details": {"reasoning_tokens": 30},
    }


def test_cache_writes_are_named_only_where_there_are_any() -> None:
    assert usage_from_counts(1, 2).body["prompt_tokens_details"] == {"cached_tokens": 0}


def test_openai_s_own_usage_is_read_and_kept() -> None:
    body = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 10, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 30},
        "cost": 0.25,
    }
    assert usage_from_body(body) == Usage(100, 50, 40, 10, 30, body)


@pytest.mark.parametrize("field", ["cached_tokens", "prompt_cache_hit_tokens"])
def test_cached_tokens_on_the_top_level_are_put_in_their_place(field: str) -> None:
    usage = usage_from_body({"prompt_tokens": 10, "completion_tokens": 1, field: 8})
    assert usage.cached == 8
    assert usage.body == {
        "prompt_tokens": 10,
        "completion_tokens": 1,
        "total_tokens": 11,
        field: 8,
        "prompt_tokens_details": {"cached_tokens": 8},
    }


@pytest.mark.parametrize("body", [{}, {"prompt_tokens": None, "prompt_tokens_details": None}, {"prompt_tokens": "5"}])
def test_counts_that_are_missing_are_0(body: dict[str, Any]) -> None:
    usage = usage_from_body(body)
    assert (usage.prompt, usage.completion, usage.cached) == (0, 0, 0)
    assert (usage.body["prompt_tokens"], usage.body["total_tokens"]) == (0, 0)
