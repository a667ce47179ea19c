from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.wire.codec import Completion
from clawgw.wire.failure import Kind, WireError
from clawgw.wire.gemini.response import parse_chat
from clawgw.wire.usage import Particulars
from tests.wire.gemini.answers import NOW, TARGET, Json, answer, called


def parse(*bodies: Json) -> Completion:
    return parse_chat(orjson.dumps(bodies[0] if len(bodies) == 1 else bodies), TARGET, NOW)


def message(*bodies: Json) -> Json:
    found: Json = parse(*bodies).body["choices"][0]["message"]
    return found


def test_a_whole_answer() -> None:
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 3, "thoughtsTokenCount": 4, "toolUsePromptTokenCount": 2}
    thoughts = {"text": "Hm", "thought": True}
    completion = parse(
        answer(
            thoughts,
            {"text": "Hel"},
            {"text": "lo"},
            usageMetadata={**usage, "cachedContentTokenCount": 1},
            createTime="2026-03-12T18:06:38.666193123Z",
        )
    )
    assert completion.body == {
        "id": "r1",
        "object": "chat.completion",
        "created": 1773338798,
        "model": "gemini-x",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello", "reasoning_content": "Hm"},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 7,
            "completion_tokens": 7,
            "total_tokens": 14,
            "prompt_tokens_details": {"cached_tokens": 1},
            "completion_tokens_details": {"reasoning_tokens": 4},
        },
    }
    assert completion.finish_reason == "stop"
    usage_ = completion.usage
    assert usage_ is not None
    assert (usage_.prompt, usage_.completion, usage_.cached, usage_.reasoning) == (7, 7, 1, 4)


def test_tokens_of_sounds_and_images_are_told_apart() -> None:
    def tokens(**modalities: int) -> list[Json]:
        return [{"modality": modality, "tokenCount": count} for modality, count in modalities.items()]

    counts = {
        "promptTokenCount": 9,
        "promptTokensDetails": tokens(TEXT=2, AUDIO=7),
        "cacheTokensDetails": tokens(AUDIO=3),
        "candidatesTokensDetails": [*tokens(TEXT=1, AUDIO=5, IMAGE=4), *tokens(IMAGE=2)],
        "serviceTier": "flex",
    }
    usage = parse(answer({"text": "a"}, usageMetadata=counts)).usage
    assert usage is not None
    assert usage.particulars == Particulars(
        audio_prompt=7, audio_cached=3, audio_completion=5, image_completion=6, service_tier="flex"
    )


def test_what_google_does_not_say_is_made_up_the_same_way_each_time() -> None:
    body = orjson.dumps({"candidates": [{"content": {"parts": [called("f")]}, "finishReason": "STOP"}]})
    first, again = (parse_chat(body, TARGET, NOW) for _ in range(2))
    assert first == again
    assert (first.body["model"], first.body["created"]) == ("gemini-2.5-flash", 1_700_000_000)
    assert first.body["id"].startswith("chatcmpl-")
    assert parse_chat(body, TARGET, NOW + 1).body["id"] != first.body["id"]
    assert first.usage is None
    assert "usage" not in first.body


@pytest.mark.parametrize("time", ["yesterday", "0001-01-01T00:00:00", ""])
def test_a_time_that_cannot_be_read_is_now(time: str) -> None:
    created = parse(answer({"text": "a"}, createTime=time)).body["created"]
    assert created == 1_700_000_000 or time.startswith("0001")


def test_tool_calls_have_googles_ids_or_ours() -> None:
    found = message(
        answer(
            {"text": "Wait."},
            called("a", {"x": 1}, thoughtSignature="c2ln"),
            {"functionCall": {"name": "b", "id": "own", "args": {}}},
            called("c"),
            {"functionCall": {"args": {}}},
        )
    )
    assert found["content"] == "Wait."
    assert found["tool_calls"] == [
        {
            "id": "call_r1_0",
            "type": "function",
            "function": {"name": "a", "arguments": '{"x":1}'},
            "extra_content": {"google": {"thought_signature": "c2ln"}},
        },
        {"id": "own", "type": "function", "function": {"name": "b", "arguments": "{}"}},
        {"id": "call_r1_2", "type": "function", "function": {"name": "c", "arguments": "{}"}},
    ]


def test_a_message_of_calls_alone_has_no_content() -> None:
    assert message(answer(called("a")))["content"] is None


def test_images_are_data_urls() -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": "iVBO"}}
    audio = {"inlineData": {"mimeType": "audio/pcm", "data": "AAAA"}}
    found = message(answer({"text": "Here:"}, image, audio, {**image, "thought": True}))
    assert found["images"] == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}]
    assert found["content"] == "Here:"


def test_googles_own_tools_are_kept_apart_from_the_clients() -> None:
    code = {"executableCode": {"language": "PYTHON", "code": "6*7"}, "thoughtSignature": "Y29k"}
    result = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "42"}}
    search = {"toolCall": {"toolType": "FILE_SEARCH", "id": "x"}}
    completion = parse(answer(code, result, search, {"text": "42", "thoughtSignature": "c2ln"}))
    assert completion.finish_reason == "stop"
    assert completion.body["choices"][0]["message"] == {
        "role": "assistant",
        "content": "42",
        "extra_content": {"google": {"parts": [code, result, search], "thought_signature": "c2ln"}},
    }


def test_of_several_signatures_the_last_is_the_messages() -> None:
    found = message(answer({"text": "a", "thoughtSignature": "b25l"}, {"text": "", "thoughtSignature": "dHdv"}))
    assert found["extra_content"] == {"google": {"thought_signature": "dHdv"}}


def test_several_candidates() -> None:
    first, second = (answer({"text": text})["candidates"][0] for text in "ab")
    body = {"candidates": [first, {**second, "index": 1, "content": {"parts": [called("f")]}}], "responseId": "r"}
    choices = parse(body).body["choices"]
    assert [(choice["index"], choice["finish_reason"]) for choice in choices] == [(0, "stop"), (1, "tool_calls")]
    assert choices[1]["message"]["tool_calls"][0]["id"] == "call_r_1_0"


def test_an_array_of_objects_is_one_answer() -> None:
    completion = parse(
        answer({"text": "a"}, finish=None, usageMetadata={"promptTokenCount": 1}),
        answer({"text": "b"}, usageMetadata={"promptTokenCount": 1, "candidatesTokenCount": 2}),
    )
    assert completion.body["choices"][0]["message"]["content"] == "ab"
    assert completion.usage is not None
    assert (completion.usage.prompt, completion.usage.completion) == (1, 2)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("CONTINUATION", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("BLOCKLIST", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("SPII", "content_filter"),
        ("MODEL_ARMOR", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("IMAGE_PROHIBITED_CONTENT", "content_filter"),
        ("IMAGE_RECITATION", "content_filter"),
        ("IMAGE_OTHER", "content_filter"),
        ("A_REASON_OF_NEXT_YEAR", "stop"),
        (1, "stop"),
        (2, "length"),
        (3, "content_filter"),
        (99, "stop"),
        (-1, "stop"),
        # Not a reason at all: the body is whole, so it has ended.
        (0, "stop"),
        ("FINISH_REASON_UNSPECIFIED", "stop"),
        (None, "stop"),
        ([], "stop"),
    ],
)
def test_finish_reasons(reason: Any, expected: str) -> None:
    assert parse(answer({"text": "a"}, finish=reason)).finish_reason == expected


@pytest.mark.parametrize(
    "reason",
    [
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
        "MALFORMED_RESPONSE",
        "LANGUAGE",
        "OTHER",
        "NO_IMAGE",
        "ESCALATION",
    ],
)
def test_reasons_that_are_failures(reason: str) -> None:
    body = answer({"text": "a"}, finish=reason)
    body["candidates"][0]["finishMessage"] = "Because " + "x" * 2000
    with pytest.raises(WireError, match=f"with {reason}: Because x") as caught:
        parse(body)
    assert (caught.value.failure.kind, caught.value.failure.code) == (Kind.INVALID, reason.lower())
    assert len(caught.value.failure.message) == 1000


def test_length_is_before_tool_calls() -> None:
    assert parse(answer(called("f"), finish="MAX_TOKENS")).finish_reason == "length"


@pytest.mark.parametrize(
    ("feedback", "refusal"),
    [
        ({"blockReason": "SAFETY", "blockReasonMessage": "Reasons"}, "Reasons"),
        ({"blockReason": "PROHIBITED_CONTENT"}, "The prompt was blocked: PROHIBITED_CONTENT."),
        ({"blockReason": 1}, "The prompt was blocked: 1."),
    ],
)
def test_a_blocked_prompt_is_a_filtered_answer(feedback: Json, refusal: str) -> None:
    completion = parse({"promptFeedback": feedback, "usageMetadata": {"trafficType": "ON_DEMAND"}})
    assert completion.body["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "", "refusal": refusal},
            "logprobs": None,
            "finish_reason": "content_filter",
        }
    ]
    assert completion.usage is None


def test_logprobs() -> None:
    body = answer({"text": "é!"})
    body["candidates"][0]["logprobsResult"] = {
        "chosenCandidates": [{"token": "é", "logProbability": -0.5}, {"token": "!"}],
        "topCandidates": [
            {"candidates": [{"token": "é", "logProbability": -0.5}, {"token": "e", "logProbability": -2}]}
        ],
    }
    assert parse(body).body["choices"][0]["logprobs"] == {
        "content": [
            {
                "token": "é",
                "logprob": -0.5,
                "bytes": [195, 169],
                "top_logprobs": [
                    {"token": "é", "logprob": -0.5, "bytes": [195, 169]},
                    {"token": "e", "logprob": -2, "bytes": [101]},
                ],
            },
            {"token": "!", "logprob": 0.0, "bytes": [33], "top_logprobs": []},
        ],
        "refusal": None,
    }


def test_citations_count_in_characters() -> None:
    body = answer({"text": "Zoë is 5. "}, {"text": "Über!"})
    body["candidates"][0]["groundingMetadata"] = {
        "groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}, {"retrievedContext": {"text": "x"}}],
        "groundingSupports": [
            {"segment": {"endIndex": 10}, "groundingChunkIndices": [0, 1, 7, "x"]},
            {"segment": {"startIndex": 11, "endIndex": 17}, "groundingChunkIndices": [0]},
            {"segment": {}},
        ],
    }
    assert message(body)["annotations"] == [
        {
            "type": "url_citation",
            "url_citation": {"start_index": 0, "end_index": 9, "url": "https://a.example", "title": "A"},
        },
        {
            "type": "url_citation",
            "url_citation": {"start_index": 10, "end_index": 15, "url": "https://a.example", "title": "A"},
        },
    ]


@pytest.mark.parametrize("key", ["citationSources", "citations"])
def test_recitations(key: str) -> None:
    body = answer({"text": "abcdef"})
    sources = [{"startIndex": 1, "endIndex": 3, "uri": "https://a.example"}, {"endIndex": 2, "license": "mit"}]
    body["candidates"][0]["citationMetadata"] = {key: sources}
    assert message(body)["annotations"] == [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": 1,
                "end_index": 3,
                "url": "https://a.example",
                "title": "https://a.example",
            },
        }
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "cachedContents/x", "usageMetadata": {"totalTokenCount": 9}},
        {"candidates": []},
        {"candidates": [{"index": 0}]},
        {"candidates": [{"content": {}, "finishReason": "STOP", "index": 8}]},
        {"promptFeedback": {"safetyRatings": []}},
        answer({"functionCall": {"name": "f", "willContinue": True}}),
        {"candidates": 3},
    ],
)
def test_a_body_without_an_answer_is_invalid(body: Json) -> None:
    with pytest.raises(WireError) as caught:
        parse(body)
    assert caught.value.failure.kind is Kind.INVALID


@pytest.mark.parametrize("body", [b"", b"<html></html>", b'{"candidates":', b"3", b'"a"', b"[1]", b"[]", b"\xff"])
def test_what_is_no_object_is_invalid(body: bytes) -> None:
    with pytest.raises(WireError) as caught:
        parse_chat(body, TARGET, NOW)
    assert caught.value.failure.kind is Kind.INVALID


def test_arguments_nested_too_deeply_are_invalid() -> None:
    deep = b'{"a":' * 300 + b"1" + b"}" * 300
    body = b'{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":' + deep + b"}}]}}]}"
    with pytest.raises(WireError, match="levels deep"):
        parse_chat(body, TARGET, NOW)


def test_an_error_in_the_place_of_an_answer() -> None:
    with pytest.raises(WireError) as caught:
        parse({"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}})
    assert (caught.value.failure.kind, caught.value.failure.status) == (Kind.RATE_LIMITED, 429)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "candidates",
                        "content",
                        "parts",
                        "text",
                        "functionCall",
                        "name",
                        "args",
                        "finishReason",
                        "error",
                    ),
                    *("promptFeedback", "blockReason", "usageMetadata", "promptTokenCount", "index", "inlineData"),
                    *("groundingMetadata", "groundingChunks", "groundingSupports", "segment", "groundingChunkIndices"),
                    *("partialArgs", "jsonPath", "willContinue", "logprobsResult", "chosenCandidates", "code"),
                    *("thoughtSignature", "executableCode", "createTime", "responseId", "citationMetadata", "details"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON | st.fixed_dictionaries({"candidates": st.lists(st.fixed_dictionaries({"content": JSON}) | JSON)}))
def test_no_body_raises_anything_else(body: Any) -> None:
    try:
        completion = parse_chat(orjson.dumps(body), TARGET, NOW)
    except WireError:
        return
    assert completion.body["choices"]


@given(st.binary())
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    with pytest.raises(WireError):
        parse_chat(body, TARGET, NOW)


def test_logprobs_of_no_token_are_none() -> None:
    body = answer({"text": "a"})
    body["candidates"][0]["logprobsResult"] = {"topCandidates": []}
    assert parse(body).body["choices"][0]["logprobs"] is None
