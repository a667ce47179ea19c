"""OpenAI's `usage` object: read from upstreams that speak it, made from the counts of those that word it differently.

Source of the shape: https://platform.openai.com/docs/api-reference/chat/object (`usage`).
"""

from typing import Any

from clawgw.wire.codec import Usage
from clawgw.wire.json_body import get_count, get_object


def usage_from_counts(
    prompt: int, completion: int, *, cached: int = 0, cache_write: int = 0, reasoning: int = 0
) -> Usage:
    """Counts in tokens; `cached` and `cache_write` are parts of `prompt`, `reasoning` of `completion`."""
    prompt_details = {"cached_tokens": cached}
    if cache_write:
        prompt_details["cache_write_tokens"] = cache_write
    body: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": prompt_details,
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
    return Usage(prompt, completion, cached, cache_write, reasoning, body)


def usage_from_body(body: dict[str, Any]) -> Usage:
    """An OpenAI-shaped `usage` object, with what it says besides kept.

    Cached tokens stand in `prompt_tokens_details`, or on the top level (older Moonshot `cached_tokens`, DeepSeek
    `prompt_cache_hit_tokens`); they are put in their place.
    """
    prompt, completion = get_count(body, "prompt_tokens"), get_count(body, "completion_tokens")
    prompt_details = get_object(body, "prompt_tokens_details")
    cached = (
        get_count(prompt_details, "cached_tokens")
        or get_count(body, "cached_tokens")
        or get_count(body, "prompt_cache_hit_tokens")
    )
    if cached:
        prompt_details = {**prompt_details, "cached_tokens": cached}
    counts: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": completion}
    if prompt_details:
        counts["prompt_tokens_details"] = prompt_details
    return Usage(
        prompt,
        completion,
        cached,
        get_count(prompt_details, "cache_write_tokens"),
        get_count(get_object(body, "completion_tokens_details"), "reasoning_tokens"),
        {"total_tokens": prompt + completion, **body, **counts},
    )
