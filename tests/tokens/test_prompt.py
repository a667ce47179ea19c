from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from clawgw.errors import InvalidRequest
from clawgw.tokens.prompt import LARGE, MOST_COUNTED, Count
from tests.tokens.requests import chat, embeddings, text

HELLO = "hello world"
"""Two tokens in both vocabularies."""
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "f", "description": "Does it."}}


def test_a_plain_prompt_as_the_cookbook_counts_it() -> None:
    """Section 6: 3 for a message and one for its role, 3 for the answer's beginning."""
    assert chat(HELLO).count("gpt-4o") == Count(4 + 3 + 2, "exact", 2)
    assert chat({"role": "system", "content": HELLO}, HELLO).count("gpt-4") == Count(2 * 4 + 3 + 2 * 2, "exact", 4)


def test_reasoning_models_begin_their_answer_with_less() -> None:
    assert chat(HELLO).count("gpt-5") == Count(4 + 2 + 2, "exact", 2)
    assert chat(HELLO, {"role": "assistant", "content": HELLO}, HELLO).count("gpt-5").tokens == 2 * 4 + 6 + 2 + 3 * 2


def test_parts_are_counted_as_their_texts() -> None:
    parts = [{"type": "text", "text": HELLO}, {"type": "text", "text": HELLO}]
    assert chat({"role": "user", "content": parts}).count("gpt-4o") == Count(4 + 3 + 4, "exact", 4)


@pytest.mark.parametrize(
    ("prompt", "more_than_text"),
    [
        (chat({"role": "user", "content": HELLO, "name": "ann"}), 2),
        (chat(HELLO, {"role": "assistant", "content": None, "tool_calls": [CALL]}), 4 + 8),
        (chat(HELLO, tools=[TOOL]), 9),
        (chat(HELLO, functions=[{"name": "f"}]), 9),
        (chat(HELLO, response_format={"type": "json_schema", "json_schema": {"name": "s", "schema": {}}}), 5),
        (chat({"role": "user", "content": [{"type": "text", "text": HELLO}, {"type": "later", "x": "y"}]}), 5),
        (chat(HELLO, prediction={"type": "content", "content": "x"}), 0),
    ],
)
def test_what_is_more_than_plain_text_costs_and_is_an_estimate(prompt: Any, more_than_text: int) -> None:
    count = prompt.count("gpt-4o")
    assert count.kind == "estimated"
    assert count.tokens >= 4 + 3 + 2 + more_than_text
    assert count.surely == 2


def test_an_image_costs_what_its_vendor_says() -> None:
    parts = [{"type": "text", "text": HELLO}, {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}]
    assert chat({"role": "user", "content": parts}).count("gpt-4o") == Count(4 + 3 + 2 + 765, "estimated", 2)


def test_another_vendors_tokens_are_estimated_and_only_half_of_them_sure() -> None:
    count = chat("word " * 100).count("claude-3-haiku")
    assert count == Count(round(101 * 1.1) + 4 + 3, "estimated", 101 // 2)


def test_what_is_sure_of_another_vocabulary_is_a_token_for_four_characters_at_most() -> None:
    amharic = "\u1200\u1210\u1220\u1230" * 100
    assert chat(amharic).count("gpt-4o").surely > 400
    assert chat(amharic).count("gemini-3-pro").surely == 100


@pytest.mark.parametrize(
    ("value", "tokens", "longest"),
    [(HELLO, 2, 2), ([HELLO, "hi"], 3, 2), ([1, 2, 3], 3, 3), ([[1, 2], [3]], 3, 2), (["hi"], 1, 1)],
)
def test_inputs_of_every_shape(value: object, tokens: int, longest: int) -> None:
    assert embeddings(value).count("text-embedding-3-small") == Count(tokens, "exact", longest)
    assert text(value).count("davinci-002") == Count(tokens, "exact", longest)


def test_a_count_is_made_once_for_each_model() -> None:
    prompt = chat(HELLO)
    assert prompt.known("gpt-4o") is None
    count = prompt.count("gpt-4o")
    assert prompt.known("gpt-4o") is count is prompt.count("gpt-4o")
    assert prompt.known("gpt-4") is None


def test_what_usage_has_taught_does_not_change_what_is_exact() -> None:
    assert Count(100, "estimated", 40).scaled(1.5) == Count(150, "estimated", 40)
    assert Count(100, "exact", 90).scaled(1.5) == Count(100, "exact", 90)


def test_bytes() -> None:
    assert chat("aé", {"role": "user", "content": "€"}).bytes == 3 + 3
    assert chat("a", tools=[TOOL]).bytes == 1 + len(orjson.dumps([TOOL]))
    assert embeddings([[1, 2], [3]]).bytes == 3
    assert text(["a", "é"]).bytes == 3


def test_what_is_rough() -> None:
    assert chat(HELLO).rough("m") == 4 + 3 + 2
    counted = chat(HELLO)
    counted.count("gpt-5")
    assert counted.rough("m") == 8
    assert chat("x" * (LARGE + 1)).rough("m") == 5000
    image = {"type": "image_url", "image_url": "https://x.example/a.png"}
    large = {"role": "user", "content": [{"type": "text", "text": "x" * 40_000}, image]}
    assert chat(large).rough("m") == 10_000 + 37 * 37
    assert text("x" * 40_000).rough("m") == 10_000


def test_what_is_too_long_to_be_counted_is_like_its_beginning() -> None:
    words = "word " * (MOST_COUNTED // 5)
    whole, twice = chat(words).count("gpt-4o"), chat(words, words).count("gpt-4o")
    assert whole.tokens == pytest.approx(800_000, rel=0.001)
    assert twice.tokens == pytest.approx(1_600_000, rel=0.001)


JSON = st.recursive(
    st.none() | st.booleans() | st.text(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=5
)
MODELS = st.sampled_from(["gpt-4o", "gpt-4", "o3", "claude-opus-5", "gemini-2.5-pro", "llama-3.3-70b", "anything"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(MODELS, st.lists(TEXTS, min_size=1, max_size=4), TEXTS)
def test_more_text_is_more_tokens(model: str, texts: list[str], more: str) -> None:
    fewer, all_of_it = chat(*texts).count(model), chat(*texts, more).count(model)
    assert fewer.tokens <= all_of_it.tokens
    assert fewer.surely <= all_of_it.surely
    assert all_of_it.surely <= chat(*texts, more).bytes


@given(MODELS, TEXTS, st.dictionaries(st.text(), JSON), TEXTS)
def test_any_tools_are_counted(model: str, said: str, schema: dict[str, Any], about: str) -> None:
    tool = {"type": "function", "function": {"name": "f", "description": about, "parameters": schema}}
    assert chat(said, tools=[tool]).count(model).tokens >= chat(said).count(model).tokens


MEMBERS = st.sampled_from(
    ["type", "text", "image_url", "url", "detail", "data", "format", "file_data", "items", "enum"]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=4),
    max_leaves=8,
)
KINDS = st.sampled_from(["text", "refusal", "image_url", "input_audio", "file", "document_url", "video_url", "later"])
PARTS = st.builds(lambda kind, value: {"type": kind, kind: value}, KINDS, ANYTHING)


@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(MODELS, st.lists(PARTS, min_size=1, max_size=3), st.dictionaries(MEMBERS, ANYTHING), ANYTHING)
def test_whatever_passes_the_checks_is_counted(model: str, parts: list[Any], schema: Any, tool: Any) -> None:
    declared = {"type": "function", "function": {"name": "f", "parameters": {"properties": {"x": schema}}}}
    message = {"role": "user", "content": parts}
    try:
        prompt = chat(message, tools=[declared, {"type": "their:own", "x": tool}], response_format=None)
    except InvalidRequest:
        assume(False)  # noqa: FBT003  the only way to say so
    assert prompt.rough("m") > 0
    assert prompt.count(model).tokens > 0
