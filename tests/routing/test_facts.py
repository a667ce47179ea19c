from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.policy import RequestFacts
from clawgw.routing.facts import facts_of, random_of
from clawgw.tokens.prompt import Prompt
from clawgw.wire.checks.parse import parse_chat_request, parse_embeddings_request, parse_text_request


def chat(*messages: dict[str, Any], headers: list[tuple[bytes, bytes]] | None = None, **more: Any) -> RequestFacts:
    request = parse_chat_request(orjson.dumps({"model": "fast", "messages": messages, **more}))
    return facts_of(Prompt(request), "chat.completions", request_id="req_1", headers=headers or [], now=1_800_000_000.5)


def test_what_a_request_says_of_itself() -> None:
    facts = chat(
        {"role": "user", "content": "hi"}, user="u", metadata={"team": "a"}, stream=True, max_completion_tokens=7
    )
    assert (facts.model, facts.endpoint, facts.stream) == ("fast", "chat.completions", True)
    assert (facts.user, facts.metadata, facts.max_tokens) == ("u", {"team": "a"}, 7)
    assert (facts.now, facts.key, facts.labels) == (1_800_000_000.5, None, {})


def test_the_older_name_of_the_longest_answer() -> None:
    assert chat({"role": "user", "content": "hi"}, max_tokens=9).max_tokens == 9
    assert chat({"role": "user", "content": "hi"}).max_tokens is None


def test_the_prompt_is_counted() -> None:
    # Three messages at 4 and the answer's beginning at 3, "hello world" twice at 2.
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "hello world"},
        {"role": "user", "content": [{"type": "text", "text": "hello world"}]},
        {"role": "assistant", "content": None, "tool_calls": []},
    ]
    assert chat(*messages).estimated_tokens == 3 * 4 + 3 + 2 * 2


def test_media_and_tools_are_counted() -> None:
    url = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}
    tool = {"type": "function", "function": {"name": "f"}}
    facts = chat({"role": "user", "content": [{"type": "text", "text": "what?"}, url, url]}, tools=[tool])
    assert (facts.images, facts.tools) == (2, 1)


def test_a_thought_is_no_image() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    assert chat({"role": "assistant", "content": [thought]}, {"role": "user", "content": "go on"}).images == 0


def test_headers_that_carry_a_key_are_not_told() -> None:
    headers = [
        (b"X-Team", b"a"),
        (b"user-agent", b"me"),
        (b"authorization", b"Bearer k"),
        (b"x-api-key", b"k"),
        (b"cookie", b"c"),
    ]
    assert chat({"role": "user", "content": "hi"}, headers=headers).headers == {"x-team": "a", "user-agent": "me"}


@pytest.mark.parametrize(
    ("prompt", "tokens"), [("hello world", 2), (["hello", "world"], 2), ([1, 2, 3], 3), ([[1, 2], [3]], 3)]
)
def test_prompts_and_inputs_of_every_shape(prompt: object, tokens: int) -> None:
    text = parse_text_request(orjson.dumps({"model": "m", "prompt": prompt}))
    assert facts_of(Prompt(text), "completions", request_id="r", headers=[], now=0.0).estimated_tokens == tokens
    embeddings = parse_embeddings_request(orjson.dumps({"model": "m", "input": prompt}))
    facts = facts_of(Prompt(embeddings), "embeddings", request_id="r", headers=[], now=0.0)
    assert (facts.estimated_tokens, facts.stream) == (tokens, False)


def test_the_dice_belong_to_the_id() -> None:
    # The first six bytes of the SHA-256 of "req_1", over 2 to the 48th.
    assert random_of("req_1") == int("dfe7be6cee3b", 16) / 2**48


@given(st.lists(st.uuids(), min_size=200, max_size=200, unique=True))
def test_the_dice_are_even(ids: list[object]) -> None:
    numbers = [random_of(str(one)) for one in ids]
    assert all(0 <= number < 1 for number in numbers)
    assert 40 < sum(number < 0.5 for number in numbers) < 160


def test_what_belongs_to_others_cannot_be_changed() -> None:
    facts = chat({"role": "user", "content": "hi"}, metadata={"team": "a"}, headers=[(b"x-team", b"a")])
    for mapping in (facts.labels, facts.metadata, facts.headers):
        with pytest.raises(TypeError, match="does not support item assignment"):
            mapping["team"] = "b"  # type: ignore[index]  # the mistake


def test_fields_that_an_endpoint_does_not_have_are_no_facts() -> None:
    body = {"model": "m", "input": "hi", "prompt": "hi", "tools": 5, "max_completion_tokens": "x"}
    for parse in (parse_text_request, parse_embeddings_request):
        facts = facts_of(Prompt(parse(orjson.dumps(body))), "any", request_id="r", headers=[], now=0.0)
        assert (facts.tools, facts.max_tokens) == (0, None)
