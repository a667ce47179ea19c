"""OpenAI's `usage` object, made from the counts of upstreams that word it differently.

Source of the shape: https://platform.openai.com/docs/api-reference/chat/object (`usage`).
"""

from typing import Any

from clawgw.wire.codec import Usage


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
