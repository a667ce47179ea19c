"""Writes clawgw/routing/prices.json from the price table of genai-prices and the additions below.

Run it after raising the version of genai-prices: `just prices`. Prices of batches are left out, since no request is
sent as one, and so are those of models that other endpoints serve (`tools.catalogue`).
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from genai_prices.data import providers
from genai_prices.types import ModelInfo, ModelPrice, StartDateConstraint, TieredPrices

from clawgw.routing.prices import SNAPSHOTS, family_of
from tools.catalogue import OTHER_ENDPOINTS, PROVIDERS, SOLD, names_of, rendered

TARGET = Path(__file__).resolve().parents[1] / "clawgw/routing/prices.json"

Line = dict[str, Any]

KINDS = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cached",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "audio_input",
    "cache_audio_read_mtok": "audio_cached",
    "output_audio_mtok": "audio_output",
    "output_image_mtok": "image_output",
    "output_reasoning_mtok": "reasoning",
    "input_audio_hours": "audio_hour",
    "web_searches_kcount": "web_search",
}
"""Their kinds of prices → ours."""
DIGITS = {"audio_hour": 12, "web_search": 9}
"""How many places a price in USD is moved to be pico-dollars for one; 6 where it is for a million."""

CONTEXTS = {
    "standard": {},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast", "speed": "fast"},
}
"""What an answer says of its service tier → what picks the price. Anthropic calls it a speed."""

ALIASES = {
    "mistral": {
        "mistral-large-latest": "mistral-large-2512",
        "ministral-3b-latest": "ministral-3b-2512",
        "devstral-medium-latest": "devstral-2512",
    }
}
"""Aliases that the table lacks, or leads elsewhere: https://docs.mistral.ai/models."""

FREE = {"input": 0}
ADDITIONS: dict[str, dict[str, Line]] = {
    "openai": {
        "gpt-6.2-astra": {
            "input": 8_000_000,
            "output": 40_000_000,
            "cached": 400_000,
            "cache_write": 10_000_000,
            "above": {
                "272000": {
                    "input": 16_000_000,
                    "output": 60_000_000,
                    "cached": 800_000,
                    "cache_write": 20_000_000,
                }
            },
        },
        "gpt-6.2-sol": {
            "input": 2_000_000,
            "output": 10_000_000,
            "cached": 100_000,
            "cache_write": 2_500_000,
            "above": {
                "272000": {
                    "input": 4_000_000,
                    "output": 15_000_000,
                    "cached": 200_000,
                    "cache_write": 5_000_000,
                }
            },
        },
        "gpt-4o-audio-preview": {
            "input": 2_500_000,
            "output": 10_000_000,
            "audio_input": 40_000_000,
            "audio_output": 80_000_000,
        },
        "gpt-4o-mini-audio-preview": {
            "input": 150_000,
            "output": 600_000,
            "audio_input": 10_000_000,
            "audio_output": 20_000_000,
        },
    },
    "google": {"gemma-3-27b-it": FREE},
    "echo": {"echo": FREE},
}
"""What the table lacks. Sounds by https://developers.openai.com/api/docs/pricing; the gpt-6.2 models as several
resellers had them on 2026-11-18, at OpenAI's standard rates."""


def line_of(model: ModelInfo) -> Line:
    """The prices of one model by service tier; a tier that costs what the standard does is left out."""
    standard = list(dated_prices(model, CONTEXTS["standard"]))
    line = {"standard": standard}
    for tier, context in CONTEXTS.items():
        if (dated := list(dated_prices(model, context))) != standard:
            line[tier] = dated
    return line if all(map(is_price, standard)) else {}


def dated_prices(model: ModelInfo, context: Mapping[str, str]) -> Iterator[Line]:
    """The prices of one service tier, from the days on which they change."""
    last: Line = {}
    for day in (None, *change_days(model)):
        at = datetime.combine(day or date(1970, 1, 1), time(), UTC)
        entry = entry_of(model, model.get_prices(at, context))
        if entry != last or day is None:
            yield ({} if day is None else {"from": day.isoformat()}) | entry
        last = entry


def change_days(model: ModelInfo) -> Sequence[date]:
    """The days on which any price of a model begins."""
    conditions = [
        *(model.prices if isinstance(model.prices, list) else ()),
        *(model.price_variants or ()),
    ]
    constraints = [condition.constraint for condition in conditions if condition.constraint is not None]
    if not all(isinstance(constraint, StartDateConstraint) for constraint in constraints):
        raise NotImplementedError(f"{model.id}: prices by the time of day")
    return sorted({constraint.start_date for constraint in constraints})


def entry_of(model: ModelInfo, prices: ModelPrice) -> Line:
    """Pico-dollars for one of each kind, and for one of each kind above the thresholds."""
    priced = {ours: price for theirs, ours in KINDS.items() if (price := getattr(prices, theirs)) is not None}
    if not priced and (model.id.endswith(":free") or "gemma" in model.id):
        return dict(FREE)
    entry = rates_at(0, priced)
    thresholds = {tier.start for price in priced.values() if isinstance(price, TieredPrices) for tier in price.tiers}
    above = {str(threshold): rates_at(threshold + 1, priced) for threshold in sorted(thresholds)}
    return entry | ({"above": above} if above else {})


def rates_at(prompt_tokens: int, priced: Mapping[str, Decimal | TieredPrices]) -> Line:
    """The rates for a prompt of so many tokens."""
    rates = {kind: pico(kind, price_at(prompt_tokens, price)) for kind, price in priced.items()}
    if rates.get("cache_write", 0) < rates.get("input", 0) and "cache_write" in rates:
        rates["cache_write"] += rates["input"]  # OpenRouter's for Google: storage, on top of the input price
    return rates


def price_at(prompt_tokens: int, price: Decimal | TieredPrices) -> Decimal:
    """The highest tier that is passed holds for all tokens."""
    if not isinstance(price, TieredPrices):
        return price
    return next((tier.price for tier in reversed(price.tiers) if prompt_tokens > tier.start), price.base)


def pico(kind: str, usd: Decimal) -> int:
    """A price in USD, as it is quoted, in pico-dollars for one."""
    return int(usd.scaleb(DIGITS.get(kind, 6)).to_integral_value())


def is_price(entry: Line) -> bool:
    """Whether anything is known of what a prompt costs."""
    return "input" in entry


def table() -> dict[str, dict[str, Line]]:
    """Provider → model → prices, models in the order of their names."""
    by_id = {provider.id: provider.models for provider in providers}
    whole = {ours: dict(priced_models(ours, by_id[theirs])) for ours, theirs in PROVIDERS.items()}
    for provider, models in ADDITIONS.items():
        lines = whole.setdefault(provider, {})
        for model, entry in models.items():
            lines[model] = lines.get(model, {}) | {"standard": [entry]}
    return {provider: with_families(dict(sorted(lines.items()))) for provider, lines in whole.items()}


def priced_models(provider: str, models: Sequence[ModelInfo]) -> Iterator[tuple[str, Line]]:
    """The lines of a provider's models under their ids."""
    aliases = ALIASES.get(provider, {})
    for model in models:
        name = model.id.rstrip("-")
        if is_sold(provider, name) and (line := line_of(model)):
            others = [other for other in names_of(model) if other != name and aliases.get(other, name) == name]
            others += [alias for alias, known in aliases.items() if known == name]
            yield name, {"also": others, **line}


def is_sold(provider: str, model: str) -> bool:
    """Whether a request for the model can be sent, and is billed at the time."""
    if model.startswith("ft:"):
        return True
    sold = SOLD.get(provider)
    return not ((sold and not sold.match(model)) or OTHER_ENDPOINTS.search(model) or model.endswith(":batch"))


def with_families(lines: dict[str, Line]) -> dict[str, Line]:
    """Each line with the family it may answer for: one whose members' prices all agree."""
    members: dict[str, list[str]] = defaultdict(list)
    for model, line in lines.items():
        for name in (model, *line.get("also", ())):
            members[family_of(name)].append(model)
    for family, models in members.items():
        if len({json.dumps(lines[model] | {"also": ()}) for model in models}) == 1:
            lines[models[0]]["also"] = [*lines[models[0]].get("also", ()), family + SNAPSHOTS]
    return {model: {key: value for key, value in line.items() if value} for model, line in lines.items()}


def render() -> str:
    """The file's text."""
    return rendered(table())


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")
