"""The catalogue's names, its facts, and that its file is what the tool writes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.config.known import KNOWN
from clawgw.routing import catalogue as module
from clawgw.routing.catalogue import Catalogue, ModelFacts, bundled, plain_name

FILE = Path(module.__file__).with_name("catalogue.json")


@pytest.mark.parametrize(
    ("model", "plain"),
    [
        ("gpt-4o", "gpt-4o"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        ("mistral-large-latest", "mistral-large"),
        ("mistral-large-2512", "mistral-large"),
        ("kimi-k2-0905-preview", "kimi-k2"),
        ("gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash"),
        ("gemini-2.5-pro-preview-05-06", "gemini-2.5-pro"),
        ("gemini-2.0-flash-001", "gemini-2.0-flash"),
        ("gemini-2.0-flash-exp", "gemini-2.0-flash"),
        ("qwen/qwen3-32b:free", "qwen/qwen3-32b"),
        ("ft:gpt-4o-mini-2024-07-18:acme::a1b2", "gpt-4o-mini"),
        ("claude-haiku-4-5", "claude-haiku-4-5"),
        ("llama2-70b-4096", "llama2-70b-4096"),
        ("llama3-8b-8192", "llama3-8b-8192"),
        ("gpt-4-32k", "gpt-4-32k"),
    ],
)
def test_plain_names(model: str, plain: str) -> None:
    assert plain_name(model) == plain


@given(st.text(max_size=256))
def test_any_name_has_a_plain_one(model: str) -> None:
    assert len(plain_name(model)) <= len(model)


def test_a_model_is_found_by_each_of_its_names() -> None:
    catalogue = Catalogue({"p": {"big-latest": {"context": 8, "max_output": 4, "also": ["huge-2512"]}, "e": {}}})
    facts = ModelFacts("big-latest", "chat", context=8, max_output=4)
    for name in ("big-latest", "big", "big-2401", "huge-2512", "huge", "huge-latest"):
        assert catalogue.entry("p", name) == facts
    assert catalogue.models("p") == ("big-latest", "e")
    assert catalogue.knows("p", "e")
    assert not catalogue.knows("p", "bigger")


@pytest.mark.parametrize(("model", "context"), [("m", 2), ("m-2401", 1), ("m-2402", 3), ("m-2403", 2)])
def test_an_exact_name_comes_before_a_variant(model: str, context: int) -> None:
    catalogue = Catalogue({"p": {"m-2401": {"context": 1}, "m": {"context": 2}, "m-2402": {"context": 3}}})
    facts = catalogue.entry("p", model)
    assert facts is not None
    assert facts.context == context


def test_a_provider_of_ones_own_has_no_models() -> None:
    assert bundled().models("corp") == ()
    assert bundled().entry("corp", "gpt-4o") is None


@pytest.mark.parametrize(
    ("provider", "model", "facts"),
    [
        ("openai", "gpt-6.2-astra", ModelFacts("gpt-6.2-astra", "chat", 1_050_000, 128_000)),
        ("openai", "text-embedding-3-small", ModelFacts("text-embedding-3-small", "embedding", 8192)),
        ("openai", "gpt-3.5-turbo-instruct", ModelFacts("gpt-3.5-turbo-instruct", "text", 16385)),
        ("anthropic", "claude-opus-5-5-20261001", ModelFacts("claude-opus-5-5", "chat", 1_000_000, 128_000)),
        ("google", "gemini-3.8-flash", ModelFacts("gemini-3.8-flash", "chat", 1_048_576, 65_536)),
        ("groq", "openai/gpt-oss-120b", ModelFacts("openai/gpt-oss-120b", "chat", 131_072, 65_536)),
        ("moonshot", "kimi-k2.6", ModelFacts("kimi-k2.6", "chat", 262_144)),
        ("echo", "echo", ModelFacts("echo")),
    ],
)
def test_the_bundled_facts(provider: str, model: str, facts: ModelFacts) -> None:
    assert bundled().entry(provider, model) == facts


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("google", "claude-opus-5-5"),
        ("openai", "gpt-oss-120b"),
        ("openai", "whisper-1"),
        ("openai", "gpt-image-2"),
        ("openrouter", "gpt-4o"),
    ],
)
def test_what_a_provider_does_not_sell_over_these_endpoints_is_not_there(provider: str, model: str) -> None:
    assert not bundled().knows(provider, model)


def test_every_known_provider_has_its_default_model() -> None:
    for name, known in KNOWN.items():
        assert bundled().knows(name, known.default_model)


def test_the_file_is_what_the_tool_writes() -> None:
    pytest.importorskip("genai_prices")
    from tools.catalogue import render  # noqa: PLC0415  # imports the price table, which not every checkout has

    assert FILE.read_text(encoding="utf-8") == render()
    assert FILE.stat().st_size < 150_000
