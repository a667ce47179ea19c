from typing import Any

import pytest

from clawgw.wire.codec import WireTarget
from clawgw.wire.failure import Kind, WireError
from clawgw.wire.openai.draft import Draft, matches

TARGET = WireTarget("groq", "some-model")


def draft(**body: Any) -> Draft:
    return Draft(dict(body), TARGET)


def test_patterns_match_in_any_case() -> None:
    assert matches("Qwen/Qwen3-32B", ("nothing", "qwen/qwen3-*"))
    assert not matches("gpt-35-turbo", ("gpt-[6-9]*",))


def test_dropped_names_only_what_the_request_had() -> None:
    fitted = draft(temperature=1, seed=2, user=None, top_p=0.5)
    fitted.drop("temperature", "seed", "user", "store")
    assert fitted.body == {"top_p": 0.5}
    assert fitted.dropped({"seed": 2, "temperature": None, "top_p": 0.5}) == ["seed"]


@pytest.mark.parametrize(
    ("name", "value", "asks"),
    [
        ("n", 1, False),
        ("n", 2, True),
        ("logprobs", False, False),
        ("logprobs", True, True),
        ("top_logprobs", 0, False),
        ("stop", [], False),
        ("stop", "x", True),
        ("modalities", ["text"], False),
        ("modalities", ["text", "audio"], True),
        ("web_search_options", {}, True),
        ("web_search_options", None, False),
    ],
)
def test_a_feature_is_refused_only_where_it_is_asked_for(name: str, value: Any, asks: bool) -> None:  # noqa: FBT001 - a test case
    fitted = draft(**{name: value})
    if not asks:
        fitted.refuse(name)
        assert fitted.body == ({name: value} if name in {"n", "stop"} else {})
        return
    with pytest.raises(WireError, match=f"groq/some-model does not support `{name}`") as raised:
        fitted.refuse(name)
    failure = raised.value.failure
    assert (failure.kind, failure.code, failure.param) == (Kind.UNSUPPORTED, "unsupported_parameter", name)


def test_the_new_name_wins_where_both_are_there() -> None:
    fitted = draft(max_tokens=1, max_completion_tokens=2, seed=3, old=None)
    fitted.rename("max_tokens", "max_completion_tokens")
    fitted.rename("seed", "random_seed")
    fitted.rename("old", "new")
    assert fitted.body == {"max_completion_tokens": 2, "random_seed": 3}


def test_a_value_is_replaced_by_the_nearest_or_dropped() -> None:
    fitted = draft(reasoning_effort="xhigh", service_tier="priority", tool_choice={"type": "function"}, other="x")
    for name in ("reasoning_effort", "service_tier", "tool_choice", "other", "missing"):
        fitted.replace(name, {"xhigh": "high", "priority": None})
    assert fitted.body == {"reasoning_effort": "high", "tool_choice": {"type": "function"}, "other": "x"}
    assert fitted.dropped({"service_tier": "priority"}) == ["service_tier"]
