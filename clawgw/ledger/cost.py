"""What a request costs: token counts times prices, in whole pico-dollars (10⁻¹² USD). Exact, and pure.

A count that is a part of another is billed at its own rate and taken out of the other, so that no token is paid twice:
cached and cache-writing tokens are parts of the prompt, reasoning of the completion, whatever the provider calls them
(`wire.codec.Usage`).
"""

from clawgw.policy import Target
from clawgw.routing.money import pico_dollars
from clawgw.routing.prices import Price, Prices, Rates
from clawgw.wire.usage import Usage

_HOUR_S = 3600


def bill(usage: Usage, target: Target, prices: Prices, at: float) -> int | None:
    """What a target's answer cost, `at` being when it was asked for (Unix seconds); None: nobody knows.

    A price in the configuration comes first, then what the provider says it has billed, then the bundled table.
    """
    configured, reported = prices.configured(target), usage.particulars.cost_usd
    if configured is None and reported is not None:
        return pico_dollars(reported)
    price = configured or prices.listed(target, at, usage.particulars.service_tier)
    return None if price is None else cost(usage, price)


def cost(usage: Usage, price: Price) -> int:
    """What so much usage costs at a price."""
    rates = price.rates(usage.prompt)
    return _prompt_cost(usage, rates) + _completion_cost(usage, rates) + _extras_cost(usage, rates)


def upper_bound_cost(prompt_tokens: int, max_tokens: int, price: Price) -> int:
    """What no answer to a prompt of so many tokens costs more than, if it is at most `max_tokens` long.

    Searches and seconds of sound come on top: how many there will be, nobody knows before.
    """
    rates = price.rates(prompt_tokens)
    dearest_input = max(
        *(rates.input, rates.cached, rates.cache_write, rates.cache_write_1h, rates.audio_input, rates.audio_cached)
    )
    dearest_output = max(rates.output, rates.reasoning, rates.audio_output, rates.image_output)
    return prompt_tokens * dearest_input + max_tokens * dearest_output


def _prompt_cost(usage: Usage, rates: Rates) -> int:
    apart = usage.particulars
    if not (usage.cached or usage.cache_write or apart.audio_prompt):
        return rates.input * usage.prompt
    cached = min(usage.cached, usage.prompt)
    written = min(usage.cache_write, usage.prompt - cached)
    kept_1h = min(apart.cache_write_1h, written)
    audio_cached = min(apart.audio_cached, cached)
    audio = min(max(apart.audio_prompt - audio_cached, 0), usage.prompt - cached - written)
    return (
        rates.input * (usage.prompt - cached - written - audio)
        + rates.cached * (cached - audio_cached)
        + rates.cache_write * (written - kept_1h)
        + rates.cache_write_1h * kept_1h
        + rates.audio_input * audio
        + rates.audio_cached * audio_cached
    )


def _completion_cost(usage: Usage, rates: Rates) -> int:
    apart = usage.particulars
    if not (usage.reasoning or apart.audio_completion or apart.image_completion):
        return rates.output * usage.completion
    reasoning = min(usage.reasoning, usage.completion)
    audio = min(apart.audio_completion, usage.completion - reasoning)
    image = min(apart.image_completion, usage.completion - reasoning - audio)
    return (
        rates.output * (usage.completion - reasoning - audio - image)
        + rates.reasoning * reasoning
        + rates.audio_output * audio
        + rates.image_output * image
    )


def _extras_cost(usage: Usage, rates: Rates) -> int:
    apart = usage.particulars
    return rates.web_search * apart.web_searches + rates.audio_hour * apart.audio_seconds // _HOUR_S
