"""What OpenRouter leaves out silently and a client should know.

Anthropic's models refuse a forced tool choice while they think, so OpenRouter drops the reasoning without a word
(https://openrouter.ai/docs/guides/best-practices/reasoning-tokens); here it is dropped and named.
"""

from clawgw.wire.openai.draft import Draft, matches


def fit_openrouter(draft: Draft) -> None:
    """Relax reasoning visibly where a forced tool choice rules it out."""
    choice = draft.body.get("tool_choice")
    forced = choice == "required" or isinstance(choice, dict)
    if forced and matches(draft.target.model, ("anthropic/*",)):
        draft.drop("reasoning_effort", "reasoning")
