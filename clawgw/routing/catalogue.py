"""The bundled catalogue: which provider has which models, and a few facts about each.

It decides where a bare model name goes and what `GET /v1/models` lists; it never keeps a request from a model it does
not know, because `provider/model` works for any. `tools/catalogue.py` writes `catalogue.json` beside this module:
provider → model → facts, one line a model.
"""

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

import orjson
from attrs import define, field, frozen

from clawgw.policy import Target

ModelKind = Literal["chat", "embedding", "text"]

_VARIANT = re.compile(
    r"""(?: -latest | -preview | -exp | -00\d | :[a-z]+
          | -20\d\d-\d\d-\d\d | [-@]20\d{6}                                   # 2025-09-29, 20250929
          | -\d\d-20\d\d | -\d\d-\d\d                                         # 09-2025, 05-20
          | -2\d(?:0[1-9]|1[0-2]) | -(?:0[1-9]|1[0-2])[0-3]\d                 # 2512, 0905
        )+$""",
    re.VERBOSE,
)


@lru_cache(maxsize=1024)
def plain_name(model: str) -> str:
    """`model` without what marks one snapshot or variant of it, and a fine-tuned model's base.

    `gpt-4o-2024-08-06` → `gpt-4o`, `mistral-large-latest` → `mistral-large`, `qwen/qwen3-32b:free` → `qwen/qwen3-32b`,
    `ft:gpt-4o-mini-2024-07-18:acme::a1b2` → `gpt-4o-mini`.
    """
    if model.startswith("ft:"):
        model = model.split(":")[1]
    return _VARIANT.sub("", model)


@frozen
class ModelFacts:
    """What is known of a model. Sizes are in tokens; None: not known."""

    id: str
    kind: ModelKind = "chat"
    context: int | None = None
    max_output: int | None = None


@define(eq=False)
class Catalogue:
    """Models by provider, under the known providers' names (`config.known`). An index is built when first asked for."""

    _table: Mapping[str, Mapping[str, Mapping[str, Any]]]
    _names: dict[str, Mapping[str, ModelFacts]] = field(factory=dict, init=False)

    def entry(self, provider: str, model: str) -> ModelFacts | None:
        """The facts of a model, or of the one that it is a snapshot or variant of."""
        names = self._names.get(provider)
        if names is None:
            names = self._names[provider] = _names(self._table.get(provider, {}))
        return names.get(model) or names.get(plain_name(model))

    def window(self, target: Target) -> float:
        """A target's context window in tokens; infinite, where it is not known."""
        facts = self.entry(target.provider, target.model)
        return math.inf if facts is None or facts.context is None else facts.context

    def knows(self, provider: str, model: str) -> bool:
        """Whether the provider has the model."""
        return self.entry(provider, model) is not None

    def models(self, provider: str) -> Sequence[str]:
        """The ids of a provider's models."""
        return tuple(self._table.get(provider, ()))


def _names(models: Mapping[str, Mapping[str, Any]]) -> dict[str, ModelFacts]:
    """Facts by every name of a model: its id, its other names, and last of all their plain forms."""
    names: dict[str, ModelFacts] = {}
    for model, line in models.items():
        facts = ModelFacts(model, line.get("kind", "chat"), line.get("context"), line.get("max_output"))
        for name in (model, *line.get("also", ())):
            names[name] = facts
    for name, facts in tuple(names.items()):
        names.setdefault(plain_name(name), facts)
    return names


@cache
def bundled() -> Catalogue:
    """The catalogue that comes with this version; read once."""
    return Catalogue(orjson.loads(Path(__file__).with_name("catalogue.json").read_bytes()))
