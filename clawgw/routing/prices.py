"""What models cost: the bundled table, and the prices of the configuration, which win.

`tools/prices.py` writes `prices.json` beside this module: provider → model → dated prices, one line a model. A model
that is not in it has no price, which is not the same as a price of nothing.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any

import orjson
from attrs import Factory, define, field, frozen

from clawgw.config.tables.providers import Price as ConfiguredPrice
from clawgw.policy import Target
from clawgw.routing.catalogue import plain_name
from clawgw.routing.money import token_rate

SNAPSHOTS = "*"
"""Ends a family's name (`family_of`) that stands for all its snapshots; where they differ in price, none does."""
_STANDARD = "standard"
DAY_S = 86_400
"""Prices change at the beginning of a day, UTC, and are the same until its end."""
_REMEMBERED = 4096
"""A client may name any model of a provider."""


def _same_as(name: str) -> Any:
    return field(default=Factory(attrgetter(name), takes_self=True))


@frozen
class Rates:
    """Pico-dollars for one token of each kind. What has no price of its own costs as the kind that it is a part of."""

    input: int
    output: int = 0
    cached: int = _same_as("input")
    cache_write: int = _same_as("input")
    cache_write_1h: int = _same_as("cache_write")
    audio_input: int = _same_as("input")
    audio_cached: int = _same_as("cached")
    reasoning: int = _same_as("output")
    audio_output: int = _same_as("output")
    image_output: int = _same_as("output")
    audio_hour: int = 0
    """For an hour of sound, where that is counted and not its tokens."""
    web_search: int = 0
    """For one search that ran on the provider's side."""


@frozen
class Price:
    """A model's rates. A prompt longer than a threshold changes those of the whole request: `above`, ascending."""

    base: Rates
    above: Sequence[tuple[int, Rates]] = ()

    def rates(self, prompt_tokens: int) -> Rates:
        """The rates of a request with a prompt of so many tokens."""
        found = self.base
        for threshold, rates in self.above:
            if prompt_tokens > threshold:
                found = rates
        return found


NOTHING = Price(Rates(0))

Dated = Sequence[tuple[float, Price]]
"""Prices and when they began (Unix seconds), the newest first."""


def family_of(model: str) -> str:
    """What the snapshots of a model have in common. A fine-tuned model costs more than its base, a `:free` one less."""
    if model.startswith("ft:"):
        return f"ft:{plain_name(model)}"
    return model if ":" in model else plain_name(model)


def configured_price(price: ConfiguredPrice) -> Price:
    """A price of the configuration. Without `cached_input`, cached tokens cost as much as others."""
    rates = {"input": price.input, "output": price.output, "cached": price.cached_input}
    return Price(Rates(**{kind: token_rate(usd) for kind, usd in rates.items() if usd is not None}))


@define(eq=False)
class PriceTable:
    """Prices by provider, under the known providers' names (`config.known`). An index is built when first asked for."""

    _lines: Mapping[str, Mapping[str, Mapping[str, Any]]]
    _ids: dict[str, Mapping[str, str]] = field(factory=dict, init=False)
    """The id of a line by every name of its model, by provider."""

    def price(self, provider: str, model: str, at: float, service_tier: str = "") -> Price | None:
        """What `model` cost at a time (Unix seconds). A service tier without prices of its own costs the standard."""
        dated = self._find(provider, model, service_tier)
        if dated is None:
            return None
        for began, price in dated:
            if began <= at:
                return price
        return dated[-1][1]

    def models(self, provider: str) -> Sequence[str]:
        """The models that have prices, by the names of their lines."""
        return tuple(self._lines.get(provider, ()))

    def _find(self, provider: str, model: str, service_tier: str) -> Dated | None:
        ids = self._ids.get(provider)
        if ids is None:
            ids = self._ids[provider] = _ids(self._lines.get(provider, {}))
        found = ids.get(model) or ids.get(family_of(model) + SNAPSHOTS)
        if found is None:
            return None
        line = self._lines[provider][found]
        return _newest_first(line.get(service_tier) or line[_STANDARD])


@define(eq=False)
class Prices:
    """The prices of one configuration."""

    _configured: Mapping[str, Price]
    """By `provider/model`."""
    _table: PriceTable
    _free: Collection[str] = ()
    """The providers that cost nothing, whatever the model."""
    _listed: Callable[[Target, float, str], Price | None] = field(init=False, repr=False)
    """The table's price of a target on a day (since 1970) for a service tier; remembered."""

    @_listed.default
    def _remembering(self) -> Callable[[Target, float, str], Price | None]:
        return lru_cache(_REMEMBERED)(
            lambda target, day, tier: (
                NOTHING
                if target.provider in self._free
                else self._table.price(target.provider, target.model, day * DAY_S, tier)
            )
        )

    def configured(self, target: Target) -> Price | None:
        """The price that the configuration names."""
        return self._configured.get(str(target)) if self._configured else None

    def listed(self, target: Target, at: float, service_tier: str = "") -> Price | None:
        """The price that the table has for a time (Unix seconds)."""
        return self._listed(target, at // DAY_S, service_tier)

    def price(self, target: Target, at: float) -> Price | None:
        """What a target costs at a time (Unix seconds), the configuration's before the table's; None: not known."""
        return self.configured(target) or self.listed(target, at)


def prices_of(configured: Mapping[str, ConfiguredPrice], free: Collection[str] = ()) -> Prices:
    """The prices of a configuration's `[prices]` and of the bundled table; providers that are `free` cost nothing."""
    return Prices({target: configured_price(price) for target, price in configured.items()}, bundled(), free)


@cache
def bundled() -> PriceTable:
    """The table that comes with this version; read once."""
    return PriceTable(orjson.loads(Path(__file__).with_name("prices.json").read_bytes()))


def _ids(lines: Mapping[str, Mapping[str, Any]]) -> Mapping[str, str]:
    return {name: model for model, line in lines.items() for name in (model, *line.get("also", ()))}


def _newest_first(prices: Sequence[Mapping[str, Any]]) -> Dated:
    return tuple(map(_dated, reversed(prices)))


def _dated(entry: Mapping[str, Any]) -> tuple[float, Price]:
    rates = {key: value for key, value in entry.items() if key not in {"from", "above"}}
    above = sorted((int(threshold), Rates(**changed)) for threshold, changed in entry.get("above", {}).items())
    return _unix(entry.get("from")), Price(Rates(**rates), tuple(above))


def _unix(day: str | None) -> float:
    return 0.0 if day is None else datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
