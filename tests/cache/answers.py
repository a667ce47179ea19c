"""Whole answers in OpenAI's shape, made up."""

from typing import Any

from hypothesis import strategies as st

from clawgw.wire.codec import Completion
from clawgw.wire.usage import usage_from_counts

_TEXT = st.text(max_size=12)
_NAME = st.text("abc_", min_size=1, max_size=4)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | _TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_NAME, inner, max_size=2),
    max_leaves=4,
)
_CALL = st.fixed_dictionaries(
    {
        "id": _NAME,
        "type": st.just("function"),
        "function": st.fixed_dictionaries({"name": _NAME, "arguments": _TEXT}),
    },
    optional={"extra_content": st.dictionaries(_NAME, _JSON, max_size=2)},
)
_MESSAGE = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": st.none() | _TEXT},
    optional={
        "refusal": st.none() | _TEXT,
        "reasoning_content": _TEXT,
        "reasoning": _TEXT,
        "tool_calls": st.lists(_CALL, min_size=1, max_size=3),
        "annotations": st.lists(st.dictionaries(_NAME, _JSON, min_size=1, max_size=2), max_size=2),
        "audio": st.none() | st.fixed_dictionaries({"id": _NAME, "data": _TEXT, "expires_at": st.integers(0, 9)}),
        "extra_content": st.dictionaries(_NAME, _JSON, max_size=2),
    },
)
_LOGPROBS = st.none() | st.fixed_dictionaries(
    {"content": st.lists(st.fixed_dictionaries({"token": _TEXT}), max_size=2), "refusal": st.none()}
)
_FINISH = st.sampled_from(["stop", "length", "tool_calls", "content_filter"])
_CHAT = st.fixed_dictionaries(
    {"message": _MESSAGE, "finish_reason": _FINISH}, optional={"logprobs": _LOGPROBS, "native_finish_reason": _NAME}
)
_TEXT_CHOICE = st.fixed_dictionaries({"text": _TEXT, "logprobs": st.none(), "finish_reason": _FINISH})
_CHOICES: dict[str, st.SearchStrategy[dict[str, Any]]] = {"chat.completion": _CHAT, "text_completion": _TEXT_CHOICE}
_HEAD = st.fixed_dictionaries(
    {"id": _NAME, "created": st.integers(0, 9), "model": _NAME},
    optional={"system_fingerprint": st.none() | _NAME, "service_tier": _NAME, "citations": st.lists(_TEXT, max_size=2)},
)
_USAGE = st.none() | st.builds(usage_from_counts, st.integers(0, 9), st.integers(0, 9), cached=st.integers(0, 9))


@st.composite
def completions(draw: st.DrawFn) -> Completion:
    object_name = draw(st.sampled_from(sorted(_CHOICES)))
    drawn = draw(st.lists(_CHOICES[object_name], min_size=1, max_size=3))
    choices = [{"index": index, **each} for index, each in enumerate(drawn)]
    body: dict[str, Any] = {**draw(_HEAD), "object": object_name, "choices": choices}
    usage = draw(_USAGE)
    if usage is not None:
        body["usage"] = usage.body
    return Completion(body, usage, choices[0]["finish_reason"])
