"""Writes clawgw/routing/catalogue.json from the price table of genai-prices and the additions below.

Run it after raising the version of genai-prices: `python -m tools.catalogue`. What other endpoints serve (speech,
images, moderation) is left out, and so are names under which a provider does not sell the model itself.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
from genai_prices.data import providers
from genai_prices.types import ModelInfo

from clawgw.routing.catalogue import plain_name

TARGET = Path(__file__).resolve().parents[1] / "clawgw/routing/catalogue.json"

PROVIDERS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google": "google",
    "mistral": "mistral",
    "groq": "groq",
    "openrouter": "openrouter",
    "moonshot": "moonshotai",
}
"""Our names → those of genai-prices."""

SOLD = {"google": re.compile(r"gemini|gemma"), "openrouter": re.compile(r".+/.+"), "openai": re.compile(r"(?!gpt-oss)")}
"""What an id begins with where the table names more than the provider's own API has."""

OTHER_ENDPOINTS = re.compile(
    r"whisper|\btts\b|transcri|realtime|^(?:chatgpt|gpt)-(?:.*-)?image|-ocr|moderation|orpheus|\blive\b|streaming|"
    r"lyria|prompt-guard|^ft:|\.ft-|:extended$"
)
TEXT_MODELS = re.compile(r"^(?:gpt-3\.5-turbo-instruct|(?:text-)?(?:ada|babbage|curie|davinci)(?:-\d+)?)$")

ADDITIONS: dict[str, dict[str, dict[str, Any]]] = {
    "openai": {
        "gpt-6.2-astra": {"context": 1_050_000, "max_output": 128_000},
        "gpt-6.1-sol": {"max_output": 128_000},
        "gpt-6.1-terra": {"max_output": 128_000},
        "gpt-6-luna": {"max_output": 128_000},
        "text-embedding-3-small": {"context": 8192},
        "text-embedding-3-large": {"context": 8192},
    },
    "anthropic": {
        "claude-fable-5-2": {"max_output": 128_000},
        "claude-opus-5-5": {"max_output": 128_000},
        "claude-sonnet-5-5": {"max_output": 128_000},
        "claude-haiku-5-5": {"max_output": 128_000},
    },
    "google": {
        "gemini-4-argon": {"context": 1_048_576},
        "gemini-3.8-flash": {"context": 1_048_576, "max_output": 65_536},
        "gemma-3-27b-it": {"context": 131_072},
    },
    "mistral": {"mistral-large-4": {"max_output": 262_144}},
    "groq": {
        "openai/gpt-oss-120b": {"max_output": 65_536},
        "qwen/qwen3.8-27b": {"max_output": 16_384},
    },
    "moonshot": {"moonshot-v1-auto": {"context": 131_072}},
    "echo": {"echo": {}},
}
"""What the table lacks, from the vendors' model pages; facts here win."""


def names_of(model: ModelInfo) -> Iterator[str]:
    """The names that a model's rule lists in full; prefixes and patterns are left to `plain_name`."""
    rules: list[Any] = [model.match]
    while rules:
        rule = rules.pop(0)
        rules.extend(getattr(rule, "or_", ()))
        if hasattr(rule, "equals"):
            yield rule.equals


def line_of(model: ModelInfo) -> dict[str, Any]:
    """One model's facts; a chat model's kind goes without saying."""
    plain = {model.id, plain_name(model.id)}
    also = [name for name in dict.fromkeys(names_of(model)) if name not in plain and plain_name(name) not in plain]
    line = {"kind": kind_of(model.id), "context": model.context_window, "also": also}
    return {key: value for key, value in line.items() if value and value != "chat"}


def kind_of(model: str) -> str:
    """By what models are called."""
    if "embed" in model:
        return "embedding"
    return "text" if TEXT_MODELS.match(model) else "chat"


def table() -> dict[str, dict[str, dict[str, Any]]]:
    """Provider → model → facts, models in the order of their names."""
    by_id = {provider.id: provider.models for provider in providers}
    whole: dict[str, dict[str, dict[str, Any]]] = {}
    for ours, theirs in PROVIDERS.items():
        sold = SOLD.get(ours, re.compile(""))
        whole[ours] = {
            model.id: line_of(model)
            for model in by_id[theirs]
            if sold.match(model.id) and not OTHER_ENDPOINTS.search(model.id)
        }
    for provider, models in ADDITIONS.items():
        lines = whole.setdefault(provider, {})
        for model, facts in models.items():
            lines[model] = lines.get(model, {}) | facts
    return {provider: dict(sorted(models.items())) for provider, models in whole.items()}


def render() -> str:
    """The file's text."""
    return rendered(table())


def rendered(table: Mapping[str, Mapping[str, Any]]) -> str:
    """A table of providers as JSON with one line a model, so that a new version reads well as a diff."""
    sections = [
        f"{_json(provider)}: {{\n"
        + ",\n".join(f" {_json(model)}: {_json(line)}" for model, line in models.items())
        + "\n}"
        for provider, models in table.items()
    ]
    return "{\n" + ",\n".join(sections) + "\n}\n"


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")
