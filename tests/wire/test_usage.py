from clawgw.wire.codec import Usage
from clawgw.wire.usage import usage_from_counts


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
