"""docs/guide.md says of each provider and model what the code makes of their requests."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import pytest

from clawgw.config.known import API_VERSIONS, KNOWN
from clawgw.wire.codec import Codec, UpstreamRequest, WireTarget
from clawgw.wire.failure import WireError
from clawgw.wire.formats import CODECS
from clawgw.wire.request import ChatRequest, EmbeddingsRequest
from tests.docs.markdown import ROOT, quoted, tables

GUIDE = (ROOT / "docs" / "guide.md").read_text()
TABLES = tables(GUIDE)

FUNCTION = {"name": "look", "parameters": {"type": "object", "properties": {}}}
TOOLS = [{"type": "function", "function": FUNCTION}]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}


def part(kind: str, value: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": kind, kind: value}]}]}


SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    **{
        f"`{name}`": (name, {name: value})
        for name, value in {
            "temperature": 0.5,
            "top_p": 0.5,
            "presence_penalty": 0.5,
            "frequency_penalty": 0.5,
            "logit_bias": {"50256": -100},
            "seed": 1,
            "stop": ["END"],
            "logprobs": True,
            "reasoning_effort": "high",
            "tools": TOOLS,
            "functions": [FUNCTION],
            "web_search_options": {},
            "user": "u",
            "safety_identifier": "s",
            "metadata": {"a": "b"},
            "prompt_cache_key": "k",
            "prediction": {"type": "content", "content": "x"},
            "store": True,
            "verbosity": "low",
            "moderation": {"model": "m"},
            "prompt_cache_options": {"mode": "m"},
            "prompt_cache_retention": "24h",
        }.items()
    },
    "`n` above 1": ("n", {"n": 2}),
    "`response_format` json_object": ("response_format", {"response_format": {"type": "json_object"}}),
    "`response_format` json_schema": ("response_format", {"response_format": SCHEMA}),
    "`response_format` with tools": ("response_format", {"response_format": SCHEMA, "tools": TOOLS}),
    "`reasoning_effort` with tools": ("reasoning_effort", {"reasoning_effort": "low", "tools": TOOLS}),
    "custom tools": ("tools", {"tools": [{"type": "custom", "custom": {"name": "c"}}]}),
    "`tool_choice` required": ("tool_choice", {"tools": TOOLS, "tool_choice": "required"}),
    "`tool_choice` of one function": (
        "tool_choice",
        {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "look"}}},
    ),
    "`parallel_tool_calls`": ("parallel_tool_calls", {"tools": TOOLS, "parallel_tool_calls": False}),
    "`modalities` with audio": ("modalities", {"modalities": ["text", "audio"]}),
    "`service_tier` flex": ("service_tier", {"service_tier": "flex"}),
    "`service_tier` priority": ("service_tier", {"service_tier": "priority"}),
    "a field nobody here knows": ("unheard_of", {"unheard_of": 1}),
    "image by URL": ("messages", part("image_url", {"url": "https://example.com/a.png"})),
    "image as `data:` URL": ("messages", part("image_url", {"url": "data:image/png;base64,AAAA"})),
    "`input_audio`": ("messages", part("input_audio", {"data": "AAAA", "format": "wav"})),
    "`file` with a PDF": ("messages", part("file", {"file_data": "data:application/pdf;base64,AAAA"})),
    "`file` by `file_id`": ("messages", part("file", {"file_id": "f"})),
    "`video_url`": ("messages", part("video_url", {"url": "https://example.com/a.mp4"})),
    "an assistant's message at the end": (
        "messages",
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "He"}]},
    ),
}
"""The field that each label of the tables is about, and a request that asks for it."""

OTHER_MODELS = {
    "openai": ("gpt-4.1", "gpt-5", "gpt-5.2", "gpt-5.5", "gpt-6-luna", "a-model-of-ones-own"),
    "anthropic": ("claude-sonnet-4-5", "claude-haiku-5-5", "claude-opus-5-5"),
    "google": ("gemini-2.0-flash", "gemini-2.5-flash", "gemini-3.5-flash", "gemini-3.8-flash"),
    "mistral": ("mistral-small-latest", "magistral-medium"),
    "groq": ("openai/gpt-oss-120b", "qwen/qwen3-32b", "llama-3.3-70b-versatile"),
    "openrouter": ("openai/gpt-6-luna", "anthropic/claude-haiku-5.5"),
    "moonshot": ("kimi-k2.6", "kimi-k3", "kimi-k2", "moonshot-v1-8k"),
}


def codec_of(provider: str) -> Codec:
    return CODECS[KNOWN[provider].wire]


def target_of(provider: str, model: str) -> WireTarget:
    return WireTarget(provider, model, API_VERSIONS.get(KNOWN[provider].wire))


def built(label: str, provider: str, model: str) -> UpstreamRequest:
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], **SAMPLES[label][1]}
    request = ChatRequest(body, model, stream=False, include_usage=False)
    return codec_of(provider).build_chat(request, target_of(provider, model))


def outcome(label: str, provider: str, model: str) -> str:
    try:
        request = built(label, provider, model)
    except WireError:
        return "refused"
    return "dropped" if SAMPLES[label][0] in request.dropped else "taken"


def labels_in(cell: str) -> list[str]:
    return [label for label in cell.split(", ") if label]


FIELD_CELLS = [
    (label, provider, cell)
    for row in TABLES["fields"].rows
    for label in labels_in(row[0])
    for provider, cell in zip(TABLES["fields"].header[1:], row[1:], strict=True)
]
BY_MODEL = {
    provider: {label for label, where, cell in FIELD_CELLS if (where, cell) == (provider, "by model")}
    for provider in OTHER_MODELS
}


@pytest.mark.parametrize(("label", "provider", "cell"), FIELD_CELLS)
def test_what_a_provider_makes_of_a_field(label: str, provider: str, cell: str) -> None:
    outcomes = {outcome(label, provider, model) for model in OTHER_MODELS[provider]}
    if cell == "by model":
        assert any(label in row[2] or label in row[3] for row in TABLES["models"].rows if row[0] == provider)
    elif cell in ("dropped", "refused"):
        assert outcomes == {cell}
    else:
        assert cell == "✓" or cell.startswith("as ")
        assert outcomes == {"taken"}
        for name in quoted(cell):
            sent = built(label, provider, OTHER_MODELS[provider][-1]).body
            assert f'"{name}"'.encode() in sent


def promised(provider: str, model: str) -> dict[str, str]:
    """What the second table says of a model's fields."""
    rows = [row for row in TABLES["models"].rows if row[0] == provider]
    fitting = [row for row in rows if any(fnmatchcase(model, pattern) for pattern in quoted(row[1]))]
    return {
        label: column
        for row in fitting
        for column, cell in zip(("dropped", "refused"), row[2:], strict=True)
        for label in labels_in(cell)
    }


MODELS = [
    *((row[0], pattern.replace("*", "")) for row in TABLES["models"].rows for pattern in quoted(row[1])),
    *((provider, model) for provider, models in OTHER_MODELS.items() for model in models),
]


@pytest.mark.parametrize(("provider", "model"), sorted(set(MODELS)))
def test_what_a_model_makes_of_a_field(provider: str, model: str) -> None:
    says = promised(provider, model)
    does = {label: outcome(label, provider, model) for label in BY_MODEL[provider] | says.keys()}
    assert does == {label: says.get(label, "taken") for label in does}


@pytest.mark.parametrize("effort", ["low", "none"])
def test_openai_samples_only_without_reasoning(effort: str) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5}
    request = ChatRequest(body | {"reasoning_effort": effort}, "m", stream=False, include_usage=False)
    for model in ("gpt-5.2", "gpt-5.5", "gpt-6-luna"):
        sent = CODECS["openai"].build_chat(request, WireTarget("openai", model))
        assert sent.dropped == (["temperature"] if effort == "low" else [])


@pytest.mark.parametrize("row", TABLES["embeddings"].rows, ids=lambda row: row[0])
def test_embeddings(row: Sequence[str]) -> None:
    for provider in row[0].split(", "):
        codec, target = codec_of(provider), target_of(provider, "an-embedder")
        words = {"model": "m", "input": ["one"], "dimensions": 8, "user": "u"}
        numbers = EmbeddingsRequest({"model": "m", "input": [[1, 2]]}, "m", base64=False)
        if row[1].startswith("no:"):
            with pytest.raises(WireError) as raised:
                codec.build_embeddings(numbers, target)
            assert raised.value.failure.code == "unsupported_endpoint"
            continue
        sent = codec.build_embeddings(EmbeddingsRequest(words, "m", base64=False), target)
        assert all(name.encode() in sent.body for name in re.findall(r"as `(\w+)`", row[1]))
        assert list(sent.dropped) == (["user"] if "`user` is dropped" in row[1] else [])
        if row[1].startswith("strings only"):
            with pytest.raises(WireError):
                codec.build_embeddings(numbers, target)
        else:
            codec.build_embeddings(numbers, target)


def test_who_has_text_completions() -> None:
    (sentence,) = re.findall(r"provider's own endpoint at ([a-z, ]+), and any", GUIDE)
    assert set(sentence.split(", ")) == {name for name, codec in CODECS.items() if codec.has_text}
