from typing import Any

import orjson
import pytest

from clawgw.wire.failure import Kind
from clawgw.wire.openai.dialects import OPENAI
from tests.wire.openai.building import TOOL, USER, built, messages_sent, refused, sent

REASONING = ["o1", "o3-mini", "o4-mini", "gpt-5", "gpt-5-2025-08-07", "gpt-5-mini", "gpt-5.6-sol", "gpt-6.1-terra"]
QUIET = ["gpt-5.1", "gpt-5.2", "gpt-5.4", "gpt-5.5-mini"]
PLAIN = ["gpt-4o", "gpt-4.1-mini", "gpt-35-turbo", "gpt-5-chat-latest", "gpt-oss-120b", "deepseek-chat", "gemini-3-pro"]
SAMPLING: dict[str, Any] = {"temperature": 0.1, "top_p": 0.9, "presence_penalty": 1, "logit_bias": {"5": 1}}


@pytest.mark.parametrize("model", REASONING)
def test_reasoning_models_get_no_sampling_fields(model: str) -> None:
    request = built(OPENAI, model, **SAMPLING, seed=1, logprobs=False)
    assert orjson.loads(request.body) == {"model": model, "messages": [USER], "seed": 1}
    assert request.dropped == sorted(SAMPLING)
    assert refused(OPENAI, model, logprobs=True).param == "logprobs"


@pytest.mark.parametrize("model", QUIET)
def test_models_that_reason_only_when_asked_keep_them_until_then(model: str) -> None:
    assert sent(OPENAI, model, **SAMPLING, logprobs=True) == {**SAMPLING, "logprobs": True}
    assert sent(OPENAI, model, **SAMPLING, reasoning_effort="low") == {"reasoning_effort": "low"}


@pytest.mark.parametrize("model", [*REASONING, *QUIET])
def test_none_turns_reasoning_off(model: str) -> None:
    assert sent(OPENAI, model, reasoning_effort="none", temperature=0.1)["temperature"] == 0.1


@pytest.mark.parametrize("model", PLAIN)
def test_other_models_keep_what_they_are_sent(model: str) -> None:
    body = {**SAMPLING, "max_tokens": 5, "logprobs": True, "tools": [TOOL], "reasoning_effort": "minimal"}
    assert sent(OPENAI, model, **body) == body


@pytest.mark.parametrize("model", [*REASONING, *QUIET])
def test_max_tokens_has_its_newer_name(model: str) -> None:
    assert sent(OPENAI, model, max_tokens=5) == {"max_completion_tokens": 5}


@pytest.mark.parametrize(("model", "effort"), [("gpt-5-mini", "minimal"), ("gpt-5.6-sol", "low"), ("gpt-6-sol", "low")])
def test_minimal_is_low_where_it_is_refused(model: str, effort: str) -> None:
    assert sent(OPENAI, model, reasoning_effort="minimal") == {"reasoning_effort": effort}


@pytest.mark.parametrize("model", ["gpt-5.4", "gpt-5.5", "gpt-5.6-sol", "gpt-6-sol", "gpt-6-luna", "gpt-6.1-terra"])
def test_with_tools_an_open_effort_is_none(model: str) -> None:
    for effort in ({}, {"reasoning_effort": None}, {"reasoning_effort": "none"}):
        assert sent(OPENAI, model, tools=[TOOL], **effort) == {"tools": [TOOL], "reasoning_effort": "none"}
    assert sent(OPENAI, model, tools=[]) == {"tools": []}


@pytest.mark.parametrize("model", ["gpt-5.4", "gpt-5.6-sol", "gpt-6-sol"])
def test_with_tools_a_wanted_effort_is_refused(model: str) -> None:
    failure = refused(OPENAI, model, tools=[TOOL], reasoning_effort="high")
    assert (failure.kind, failure.param) == (Kind.UNSUPPORTED, "reasoning_effort")
    assert f"openai/{model}" in failure.message


@pytest.mark.parametrize("model", ["gpt-6-astra", "gpt-6.2-astra", "gpt-6.1-sol"])
def test_models_without_none_take_no_tools_here(model: str) -> None:
    failure = refused(OPENAI, model, tools=[TOOL])
    assert (failure.kind, failure.param) == (Kind.UNSUPPORTED, "tools")
    assert "/responses" in failure.message
    assert sent(OPENAI, model) == {}


@pytest.mark.parametrize("model", ["o3", "gpt-5-mini", "gpt-5.2"])
def test_earlier_models_take_tools_and_reasoning(model: str) -> None:
    body = {"tools": [TOOL], "reasoning_effort": "high"}
    assert sent(OPENAI, model, **body) == body


def test_openai_gets_no_reasoning_back_and_others_do() -> None:
    thought = {"reasoning_content": "hm", "reasoning": "hm", "reasoning_details": [{"type": "reasoning.text"}]}
    answer = {"role": "assistant", "content": "a"}
    assert messages_sent(OPENAI, "gpt-4o", USER, {**answer, **thought}) == [USER, answer]
    assert messages_sent(OPENAI, "deepseek-reasoner", USER, {**answer, **thought}) == [USER, {**answer, **thought}]
