"""What api.openai.com refuses from its reasoning models at `/chat/completions`, by the models' names.

Reasoning and tools together are leaving that endpoint for `/v1/responses`: from gpt-5.4 on tools need
`reasoning_effort: none`, which from 5.6 on has to be said, and some newer models have no "none" at all. Where the
request leaves the effort open, "none" is sent with tools; where it asks for reasoning beside tools, the target is
refused, for an answer without reasoning would be another answer. Models of other makers match nothing here.

Sources: https://platform.openai.com/docs/guides/reasoning, https://platform.openai.com/docs/guides/latest-model.
"""

from functools import lru_cache
from typing import Literal

from attrs import frozen

from clawgw.wire.openai.draft import Draft, matches, unsupported

_SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "logit_bias")


@frozen
class _Generation:
    models: tuple[str, ...]
    unasked: Literal["none", "some"]
    """How much it reasons where `reasoning_effort` is not set."""
    tools: Literal["with reasoning", "without reasoning", "responses only"]
    has_minimal: bool = True


_GENERATIONS = (
    _Generation(("gpt-6*astra*", "gpt-6.1-sol*"), "some", "responses only", has_minimal=False),
    _Generation(("gpt-5.[6-9]*", "gpt-[6-9]*"), "some", "without reasoning", has_minimal=False),
    _Generation(("gpt-5.[45]*",), "none", "without reasoning"),
    _Generation(("gpt-5.[1-3]*",), "none", "with reasoning"),
    _Generation(("gpt-5", "gpt-5-[!c]*", "o[1-9]*"), "some", "with reasoning"),
)


def fit_openai(draft: Draft) -> None:
    """Fit the fields of its reasoning models."""
    generation = _generation(draft.target.model)
    if generation is not None:
        _fit_reasoning_model(draft, generation)


@lru_cache(maxsize=1024)
def _generation(model: str) -> _Generation | None:
    return next((one for one in _GENERATIONS if matches(model, one.models)), None)


def _fit_reasoning_model(draft: Draft, generation: _Generation) -> None:
    draft.rename("max_tokens", "max_completion_tokens")
    if not generation.has_minimal:
        draft.replace("reasoning_effort", {"minimal": "low"})
    if draft.asks("tools") and generation.tools != "with reasoning":
        _fit_effort_to_tools(draft, generation)
    effort = draft.body.get("reasoning_effort")
    if effort != "none" and (effort is not None or generation.unasked == "some"):
        draft.drop(*_SAMPLING)
        draft.refuse("logprobs", "top_logprobs")


def _fit_effort_to_tools(draft: Draft, generation: _Generation) -> None:
    if generation.tools == "responses only":
        raise unsupported(draft.target, "tools at /chat/completions, only at /responses", "tools")
    if draft.body.get("reasoning_effort") not in (None, "none"):
        raise unsupported(draft.target, "`reasoning_effort` with tools at /chat/completions", "reasoning_effort")
    draft.body["reasoning_effort"] = "none"
