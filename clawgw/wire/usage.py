"""What an answer used: read from OpenAI's `usage` objects, made from the counts of upstreams that word it differently.

Source of the shape: https://platform.openai.com/docs/api-reference/chat/object (`usage`).
"""

from collections.abc import Mapping
from typing import Any

from attrs import field

from clawgw.fact import fact
from clawgw.wire.json_body import get_count, get_counts, get_object

_PRICED_TIERS = frozenset({"flex", "priority", "fast"})
_MOST_USD = 1_000_000
"""No answer costs more; what says so is no bill."""
_CACHED = frozenset({"cached_tokens", "prompt_cache_hit_tokens"})
"""Older Moonshot's name for cached tokens, DeepSeek's. Mistral's older `num_cached_tokens` is passed on and
no more: nobody says that it was cheaper."""


@fact
class Particulars:
    """What a bill may depend on beside the counts: tokens of kinds that have prices of their own, and more."""

    cache_write_1h: int = 0
    """Of `cache_write`, what is kept for an hour and not for five minutes (Anthropic)."""
    audio_prompt: int = 0
    audio_cached: int = 0
    """Of `cached`; a part of `audio_prompt` as well."""
    audio_completion: int = 0
    image_completion: int = 0
    audio_seconds: int = 0
    """The length of the sounds in the prompt, where that is billed and not their tokens (Mistral)."""
    web_searches: int = 0
    """Searches that ran on the provider's side and are billed one by one (Anthropic)."""
    service_tier: str = ""
    """How the provider says it served this, where that has prices of its own: `flex`, `priority` or `fast`."""
    cost_usd: float | None = None
    """What the provider says it has billed (OpenRouter)."""


_NONE = Particulars()


@fact
class Usage:
    """What an answer used, in tokens. `cached`, `cache_write` are parts of `prompt`; `reasoning` of `completion`.

    `body` is the OpenAI `usage` object for the client, with whatever else an OpenAI-shaped upstream put into it.
    """

    prompt: int
    completion: int
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0
    body: Mapping[str, Any] = field(factory=dict)
    particulars: Particulars = _NONE


def usage_from_counts(
    prompt: int,
    completion: int,
    *,
    cached: int = 0,
    cache_write: int = 0,
    reasoning: int = 0,
    particulars: Particulars = _NONE,
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

    Cached tokens stand in `prompt_tokens_details` (Mistral once said `prompt_token_details`), or on the top level
    (`_CACHED`); they are put in their place.
    """
    prompt_details = get_object(body, "prompt_tokens_details") or get_object(body, "prompt_token_details")
    said, of_prompt = get_counts(body), get_counts(prompt_details)
    of_completion = get_counts(get_object(body, "completion_tokens_details"))
    prompt, completion = said.get("prompt_tokens", 0), said.get("completion_tokens", 0)
    total = said.get("total_tokens", prompt + completion)
    whole = {**body, "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total}
    cached = of_prompt.get("cached_tokens", 0)
    if not cached and not _CACHED.isdisjoint(said):
        cached = max(said.get(name, 0) for name in _CACHED)
    if prompt_details or cached:
        whole["prompt_tokens_details"] = {**prompt_details, "cached_tokens": cached} if cached else prompt_details
    cache_write, reasoning = of_prompt.get("cache_write_tokens", 0), of_completion.get("reasoning_tokens", 0)
    particulars = _particulars(body, of_prompt, of_completion, priced_tier(service_tier))
    return Usage(prompt, completion, cached, cache_write, reasoning, whole, particulars)


def _particulars(
    body: dict[str, Any], of_prompt: dict[str, int], of_completion: dict[str, int], tier: str
) -> Particulars:
    if not (of_prompt or of_completion or tier or "cost" in body or "prompt_audio_seconds" in body):
        return _NONE
    return Particulars(
        audio_prompt=of_prompt.get("audio_tokens", 0),
        audio_completion=of_completion.get("audio_tokens", 0),
        image_completion=of_completion.get("image_tokens", 0),
        audio_seconds=get_count(body, "prompt_audio_seconds"),
        service_tier=tier,
        cost_usd=reported_cost(body),
    )


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
    value: Any = source.get(key)
    return float(value) if type(value) in (int, float) and 0 <= value <= _MOST_USD else None
