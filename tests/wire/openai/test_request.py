from typing import Any

import orjson
import pytest

from clawgw.wire.codec import WireTarget
from clawgw.wire.failure import Kind
from clawgw.wire.openai.dialects import ECHO, GROQ, MISTRAL, MOONSHOT, OPENAI, OPENROUTER, Dialect
from tests.wire.openai.building import CALL, TOOL, USER, built, messages_sent, refused, sent

ALL = [OPENAI, MISTRAL, GROQ, OPENROUTER, MOONSHOT, ECHO]
STRICT = [MISTRAL, GROQ, MOONSHOT]


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)
def test_unknown_fields_reach_the_upstream(dialect: Dialect) -> None:
    odd: dict[str, Any] = {"x_new": {"a": [1]}, "temperature": 0.5, "tools": [TOOL]}
    assert sent(dialect, "own-model", **odd) == odd
    assert built(dialect, "own-model", **odd).path == "/chat/completions"


@pytest.mark.parametrize("dialect", [OPENAI, GROQ, OPENROUTER, MOONSHOT, ECHO], ids=lambda dialect: dialect.name)
def test_usage_is_always_asked_for_in_a_stream(dialect: Dialect) -> None:
    assert sent(dialect, "m", stream=True) == {"stream": True, "stream_options": {"include_usage": True}}
    options = {"include_usage": False, "include_obfuscation": False}
    assert sent(dialect, "m", stream=True, stream_options=options)["stream_options"] == {
        "include_usage": True,
        "include_obfuscation": False,
    }
    assert sent(dialect, "m", stream_options=None) == {}


def test_defaults_fill_what_the_request_leaves_open() -> None:
    target = WireTarget("p", "m", default_temperature=0.7, default_max_tokens=100)
    assert orjson.loads(built(OPENAI, "m", target).body) == {
        "model": "m",
        "messages": [USER],
        "temperature": 0.7,
        "max_tokens": 100,
    }
    said = {"temperature": 0, "max_completion_tokens": 5}
    assert orjson.loads(built(OPENAI, "m", target, **said).body) == {"model": "m", "messages": [USER], **said}


def test_a_default_the_model_does_not_take_is_left_out_in_silence() -> None:
    target = WireTarget("p", "o3", default_temperature=0.7, default_max_tokens=100)
    request = built(OPENAI, "o3", target)
    assert orjson.loads(request.body) == {"model": "o3", "messages": [USER], "max_completion_tokens": 100}
    assert request.dropped == []


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)
def test_other_providers_signatures_are_stripped(dialect: Dialect) -> None:
    own = {"extra_content": {"google": {"thought_signature": "s"}}}
    first, second, *_ = messages_sent(
        dialect,
        "own-model",
        USER,
        {"role": "assistant", "content": "a", "tool_calls": [{**CALL, **own}], **own},
        {"role": "tool", "tool_call_id": "call_1", "content": "r"},
    )
    assert first == USER
    assert "extra_content" not in second
    assert "extra_content" not in second["tool_calls"][0]


@pytest.mark.parametrize("dialect", STRICT, ids=lambda dialect: dialect.name)
def test_only_function_tools(dialect: Dialect) -> None:
    failure = refused(dialect, "m", tools=[TOOL, {"type": "custom", "custom": {"name": "c"}}])
    assert (failure.kind, failure.param) == (Kind.UNSUPPORTED, "tools")
    history = {"role": "assistant", "tool_calls": [{"id": "x", "type": "custom", "custom": {"name": "c", "input": ""}}]}
    assert refused(dialect, "m", messages=[USER, history]).param == "messages"


@pytest.mark.parametrize("dialect", STRICT, ids=lambda dialect: dialect.name)
def test_a_choice_among_allowed_tools_becomes_a_shorter_list(dialect: Dialect) -> None:
    other = {"type": "function", "function": {"name": "g", "parameters": {"type": "object"}}}
    allowed = {"mode": "auto", "tools": [{"type": "function", "function": {"name": "g"}}]}
    body = sent(dialect, "m", tools=[TOOL, other], tool_choice={"type": "allowed_tools", "allowed_tools": allowed})
    assert body == {"tools": [other], "tool_choice": "auto"}


@pytest.mark.parametrize("dialect", STRICT, ids=lambda dialect: dialect.name)
def test_nulls_are_left_out_where_they_are_refused(dialect: Dialect) -> None:
    assert sent(dialect, "m", stop=None, tools=None, response_format=None, user=None) == {}


@pytest.mark.parametrize("part", ["input_audio", "file"])
@pytest.mark.parametrize("dialect", [GROQ, MOONSHOT], ids=lambda dialect: dialect.name)
def test_parts_that_a_provider_cannot_read_are_refused(dialect: Dialect, part: str) -> None:
    message = {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": part, part: {}}]}
    failure = refused(dialect, "m", messages=[message])
    assert failure.param == "messages"
    assert f"`{part}`" in failure.message


@pytest.mark.parametrize("feature", ["audio", "web_search_options"])
@pytest.mark.parametrize("dialect", STRICT, ids=lambda dialect: dialect.name)
def test_features_that_change_the_answer_are_refused(dialect: Dialect, feature: str) -> None:
    assert refused(dialect, "m", **{feature: {}}).param == feature


def test_groq_drops_what_it_answers_400_to() -> None:
    asked: dict[str, Any] = {
        "logit_bias": {"1": 1},
        "metadata": {"a": "b"},
        "store": True,
        "prompt_cache_key": "k",
        "verbosity": "low",
        "service_tier": "priority",
    }
    request = built(GROQ, "m", **asked, seed=1, user="u", logprobs=False, n=1)
    assert orjson.loads(request.body) == {"model": "m", "messages": [USER], "seed": 1, "user": "u", "n": 1}
    assert request.dropped == sorted(asked)
    assert sent(GROQ, "m", service_tier="flex") == {"service_tier": "flex"}


def test_groq_refuses_several_choices_and_logprobs() -> None:
    assert refused(GROQ, "m", n=2).param == "n"
    assert refused(GROQ, "m", logprobs=True).param == "logprobs"


@pytest.mark.parametrize(
    ("model", "asked", "effort"),
    [
        ("openai/gpt-oss-120b", "xhigh", "high"),
        ("openai/gpt-oss-120b", "none", "low"),
        ("openai/gpt-oss-120b", "medium", "medium"),
        ("qwen/qwen3-32b", "high", "default"),
        ("qwen/qwen3-32b", "none", "none"),
        ("qwen/qwen3.8-27b", "high", "high"),
        ("llama-3.3-70b-versatile", "high", None),
    ],
)
def test_groq_s_reasoning_levels(model: str, asked: str, effort: str | None) -> None:
    assert sent(GROQ, model, reasoning_effort=asked).get("reasoning_effort") == effort


def test_groq_takes_no_names_and_no_reasoning_in_messages() -> None:
    answer: dict[str, Any] = {"role": "assistant", "content": "a", "name": "n", "refusal": None}
    answer |= {"reasoning": "hm", "reasoning_content": "hm", "reasoning_details": []}
    assert messages_sent(GROQ, "m", {**USER, "name": "u"}, answer) == [USER, {"role": "assistant", "content": "a"}]


def test_mistral_s_word_for_required_is_understood_elsewhere() -> None:
    for dialect in (OPENAI, GROQ):
        assert sent(dialect, "m", tool_choice="any")["tool_choice"] == "required"
    assert sent(MISTRAL, "m", tool_choice="any")["tool_choice"] == "any"


@pytest.mark.parametrize("model", ["o3-mini", "o4-mini", "gpt-6-luna"])
def test_stop_is_refused_where_the_model_has_none(model: str) -> None:
    assert refused(OPENAI, model, stop=["x"]).param == "stop"
    assert sent(OPENAI, model, stop=[]) == {"stop": []}


@pytest.mark.parametrize(
    ("dialect", "model"),
    [(OPENAI, "gpt-4o"), (MISTRAL, "mistral-small-latest"), (GROQ, "openai/gpt-oss-120b"), (MOONSHOT, "kimi-k3.1-pro")],
    ids=lambda value: getattr(value, "name", value),
)
def test_what_other_answers_hold_beside_openai_s_message_does_not_come_back(dialect: Dialect, model: str) -> None:
    answer = {"role": "assistant", "content": "a"}
    echoed = {"images": [{"type": "image_url", "image_url": {"url": "data:,"}}], "thinking_blocks": [{"type": "x"}]}
    assert messages_sent(dialect, model, USER, {**answer, **echoed}, USER)[1] == answer


def test_openrouter_gets_its_own_images_back() -> None:
    answer = {"role": "assistant", "content": "a", "images": [{"type": "image_url", "image_url": {"url": "data:,"}}]}
    assert messages_sent(OPENROUTER, "google/gemini-3-pro-image", USER, answer, USER)[1] == answer
