"""What Gemini models differ in, as data: the generation decides nearly everything, a few models have less.

Sources: https://ai.google.dev/gemini-api/docs/thinking (levels, budgets), …/docs/openai (what an effort means),
…/docs/thought-signatures, …/docs/function-calling (call ids, tool combination), …/docs/structured-output,
…/docs/file-input-methods (which models fetch URLs), …/docs/latest-model (sampling). A name that is in no row, such as a
tuned model's, counts as a model of the oldest generation: it gets only what every model takes.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from attrs import evolve, frozen

Thinking = Mapping[str, Mapping[str, Any]]
"""`thinkingConfig` by `reasoning_effort`; empty for a model that does not think."""


@frozen
class ModelTraits:
    """What one model takes.

    `call_ids`: function calls carry ids, and the first call of a step has to bring its thought signature back.
    `penalties`, `sampling`: the fields of that name have an effect. `fetches_urls`: any public URL may be a file.
    `combines_tools`: function calling goes together with Google's own tools and with a response format.
    """

    thinking: Thinking = MappingProxyType({})
    call_ids: bool = False
    penalties: bool = True
    sampling: bool = True
    fetches_urls: bool = False
    combines_tools: bool = False


def _budgets(off: int, most: int) -> Thinking:
    """Budgets in tokens. `off` is the least the model can do with; thoughts are asked for wherever it thinks."""
    budgets = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": most, "max": most}
    thinking = {effort: {"thinkingBudget": budget, "includeThoughts": True} for effort, budget in budgets.items()}
    return {"none": {"thinkingBudget": off}, **thinking}


def _levels(*, minimal: str = "MINIMAL", medium: str = "MEDIUM") -> Thinking:
    """Levels. Thinking cannot be turned off: `none` is the least level, and its thoughts are not asked for."""
    levels = {"minimal": minimal, "low": "LOW", "medium": medium, "high": "HIGH", "xhigh": "HIGH", "max": "HIGH"}
    thinking = {effort: {"thinkingLevel": level, "includeThoughts": True} for effort, level in levels.items()}
    return {"none": {"thinkingLevel": minimal}, **thinking}


_OLDEST = ModelTraits()
_2_5 = ModelTraits(fetches_urls=True)
_3 = ModelTraits(call_ids=True, penalties=False, fetches_urls=True, combines_tools=True)
_NEWEST = evolve(_3, thinking=_levels(minimal="LOW"), sampling=False)

_MODELS = (
    (r"gemini-2\.5-.*(image|tts|audio)", _2_5),
    (r"gemini-2\.5-pro", evolve(_2_5, thinking=_budgets(128, 32768))),
    (r"gemini-2\.5-", evolve(_2_5, thinking=_budgets(0, 24576))),
    (r"gemini-3-pro-image", _3),
    (r"gemini-3-pro", evolve(_3, thinking=_levels(minimal="LOW", medium="HIGH"))),
    (r"gemini-3\.1-pro", evolve(_3, thinking=_levels(minimal="LOW"))),
    (r"gemini-3(\.[0-5])?-", evolve(_3, thinking=_levels())),
    (r"gemini-3\.6-", evolve(_3, thinking=_levels(), sampling=False)),
    (r"gemini-([3-9]|\d\d)\b", _NEWEST),
    (r"gemini-(flash|flash-lite|pro)-latest$", _NEWEST),
)
_ROWS = tuple((re.compile(pattern), traits) for pattern, traits in _MODELS)


def traits_of(model: str) -> ModelTraits:
    """The first row that the model's name, without its `models/`, begins with."""
    name = model.removeprefix("models/")
    return next((traits for pattern, traits in _ROWS if pattern.match(name)), _OLDEST)
