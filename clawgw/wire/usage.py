"""OpenAI's `usage` object: read from upstreams that speak it, made from the counts of those that word it differently.

Source of the shape: https://platform.openai.com/docs/api-reference/chat/object (`usage`).
"""

from typing import Any

from clawgw.wire.codec import Particulars, Usage
from clawgw.wire.json_body import get_counts, get_object

_PRICED_TIERS = frozenset({"flex", "priority", "fast"})
_TOTALS = "prompt_tokens", "completion_tokens", "cached_tokens", "prompt_cache_hit_tokens", "prompt_audio_seconds"
_OF_PROMPT = "cached_tokens", "cache_write_tokens", "audio_tokens"
_OF_COMPLETION = "reasoning_tokens", "audio_tokens", "image_tokens"
_MOST_USD = 1_000_000
"""No answer costs more; what says so is no bill."""


def usage_from_counts(
    prompt: int,
    completion: int,
    *,
    cached: int = 0,
    cache_write: int = 0,
    reasoning: int = 0,
    particulars: Particulars = Particulars(),  # noqa: B008 - frozen, so that one may serve all
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
    return Usage(prompt, completion, cached, cache_write, reasoning, body, particulars)


def usage_from_body(body: dict[str, Any], service_tier: str = "") -> Usage:
    """An OpenAI-shaped `usage` object, with what it says besides kept; the answer around it names the service tier.

    Cached tokens stand in `prompt_tokens_details`, or on the top level (older Moonshot `cached_tokens`, DeepSeek
    `prompt_cache_hit_tokens`); they are put in their place.
    """
    prompt, completion, *cached_on_top, audio_seconds = get_counts(body, *_TOTALS)
    prompt_details = get_object(body, "prompt_tokens_details")
    completion_details = get_object(body, "completion_tokens_details")
    cached_in_place, cache_write, audio_prompt = get_counts(prompt_details, *_OF_PROMPT)
    reasoning, audio_completion, image_completion = get_counts(completion_details, *_OF_COMPLETION)
    cached = cached_in_place or next(filter(None, cached_on_top), 0)
    if cached:
        prompt_details = {**prompt_details, "cached_tokens": cached}
    counts: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": completion}
    if prompt_details:
        counts["prompt_tokens_details"] = prompt_details
    particulars = Particulars(
        audio_prompt=audio_prompt,
        audio_completion=audio_completion,
        image_completion=image_completion,
        audio_seconds=audio_seconds,
        service_tier=priced_tier(service_tier),
        cost_usd=reported_cost(body),
    )
    whole = {"total_tokens": prompt + completion, **body, **counts}
    return Usage(prompt, completion, cached, cache_write, reasoning, whole, particulars)


def priced_tier(word: str) -> str:
    """The service tier that an answer names; empty for all the names of the usual one."""
    return word if word in _PRICED_TIERS else ""


def reported_cost(usage: dict[str, Any]) -> float | None:
    """What the provider says it has billed, in USD.

    With an upstream key of one's own (`is_byok`) OpenRouter bills its fee alone, and the upstream bills the rest:
    https://openrouter.ai/docs/guides/overview/auth/byok, …/administration/usage-accounting.
    """
    cost = _amount(usage, "cost")
    if cost is None or usage.get("is_byok") is not True:
        return cost
    return cost + (_amount(get_object(usage, "cost_details"), "upstream_inference_cost") or 0.0)


def _amount(source: dict[str, Any], key: str) -> float | None:
    value = source.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MOST_USD:
        return float(value)
    return None
