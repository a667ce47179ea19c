import pytest

from clawgw.wire.gemini.models import traits_of

EFFORTS = {"none", "minimal", "low", "medium", "high", "xhigh", "max"}


@pytest.mark.parametrize(
    ("model", "effort", "level"),
    [
        ("gemini-3-flash-preview", "none", "MINIMAL"),
        ("gemini-3-flash-preview", "medium", "MEDIUM"),
        ("gemini-3-pro-preview", "medium", "HIGH"),
        ("gemini-3.1-pro-preview", "minimal", "LOW"),
        ("gemini-3.1-flash-lite", "minimal", "MINIMAL"),
        ("gemini-3.7-flash", "minimal", "LOW"),
        ("gemini-4-argon", "max", "HIGH"),
        ("models/gemini-flash-latest", "none", "LOW"),
    ],
)
def test_levels(model: str, effort: str, level: str) -> None:
    assert traits_of(model).thinking[effort]["thinkingLevel"] == level


@pytest.mark.parametrize(
    ("model", "effort", "budget"),
    [
        ("gemini-2.5-flash-lite", "low", 1024),
        ("gemini-2.5-flash", "high", 24576),
        ("gemini-2.5-flash", "max", 24576),
        ("gemini-2.5-pro", "max", 32768),
    ],
)
def test_budgets(model: str, effort: str, budget: int) -> None:
    assert traits_of(model).thinking[effort]["thinkingBudget"] == budget


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-3-flash-preview", "gemini-4-argon"])
def test_a_thinking_model_knows_every_effort(model: str) -> None:
    assert traits_of(model).thinking.keys() == EFFORTS


@pytest.mark.parametrize(
    "model",
    ["gemini-2.0-flash", "gemini-1.5-pro", "gemini-2.5-flash-image", "gemma-3-27b-it", "tunedModels/gemini-3-x"],
)
def test_other_models_do_not_think(model: str) -> None:
    assert not traits_of(model).thinking


@pytest.mark.parametrize(
    ("model", "third"),
    [
        ("gemini-2.5-pro", False),
        ("gemini-3-pro-image-preview", True),
        ("gemini-3.6-flash", True),
        ("gemini-10-x", True),
        ("gemini-pro-latest", True),
        ("gemini-pro", False),
        ("gemini-1.5-flash", False),
    ],
)
def test_generations(model: str, third: bool) -> None:  # noqa: FBT001  # a column of the table
    traits = traits_of(model)
    assert (traits.call_ids, traits.combines_tools, not traits.penalties) == (third, third, third)


def test_sampling_ends_with_3_6() -> None:
    assert traits_of("gemini-3.5-flash").sampling
    assert not traits_of("gemini-3.6-flash").sampling
