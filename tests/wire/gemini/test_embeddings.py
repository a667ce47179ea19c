import base64
import json
from typing import Any

import orjson
import pytest

from clawgw.wire.codec import Completion, WireTarget
from clawgw.wire.failure import Kind, WireError
from clawgw.wire.gemini.embeddings import build_embeddings, parse_embeddings
from clawgw.wire.request import EmbeddingsRequest
from tests.shared import exchanges, needs_shared

TARGET = WireTarget("google", "gemini-embedding-001")


def wanted(text: Any = "a", *, base64_: bool = False, **fields: Any) -> EmbeddingsRequest:
    return EmbeddingsRequest({"model": "m", "input": text, **fields}, "m", base64_)


def parse(answer: Any, request: EmbeddingsRequest) -> Completion:
    return parse_embeddings(orjson.dumps(answer), request, TARGET)


def test_a_batch() -> None:
    built = build_embeddings(wanted(["a", "b"], dimensions=8, encoding_format="base64", user="u", extra=None), TARGET)
    assert built.path == "/models/gemini-embedding-001:batchEmbedContents"
    model = "models/gemini-embedding-001"
    assert json.loads(built.body) == {
        "requests": [
            {"model": model, "content": {"parts": [{"text": "a"}]}, "outputDimensionality": 8},
            {"model": model, "content": {"parts": [{"text": "b"}]}, "outputDimensionality": 8},
        ]
    }
    assert built.dropped == ["user"]


def test_one_text_is_a_batch_of_one() -> None:
    built = build_embeddings(wanted("a"), TARGET)
    assert json.loads(built.body) == {
        "requests": [{"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "a"}]}}]
    }


@pytest.mark.parametrize("tokens", [[1, 2], [[1], [2]]])
def test_tokens_are_refused(tokens: Any) -> None:
    with pytest.raises(WireError) as caught:
        build_embeddings(wanted(tokens), TARGET)
    assert (caught.value.failure.kind, caught.value.failure.param) == (Kind.UNSUPPORTED, "input")


def test_floats() -> None:
    completion = parse({"embeddings": [{"values": [0.5, -1]}, {"values": []}]}, wanted(["a", "b"]))
    assert completion.body == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [0.5, -1]},
            {"object": "embedding", "index": 1, "embedding": []},
        ],
        "model": "gemini-embedding-001",
        "usage": {"prompt_tokens": 0, "total_tokens": 0},
    }
    assert completion.usage is None


def test_base64_is_little_endian_float32() -> None:
    completion = parse({"embeddings": [{"values": [1.0, -2]}]}, wanted(base64_=True))
    packed = base64.b64decode(completion.body["data"][0]["embedding"])
    assert packed == bytes.fromhex("0000803f000000c0")


def test_the_answer_to_a_single_request_with_usage() -> None:
    completion = parse({"embedding": {"values": [1.0]}, "usageMetadata": {"promptTokenCount": 11}}, wanted())
    assert completion.usage is not None
    assert (completion.usage.prompt, completion.usage.completion) == (11, 0)
    assert completion.body["usage"] == {"prompt_tokens": 11, "total_tokens": 11}


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        {"embeddings": [{"values": [1]}, {"values": [1]}]},
        {"embeddings": [{"values": "x"}]},
        {"embeddings": [{"values": [None]}]},
        {"embeddings": [{"values": [1e300]}]},
    ],
)
def test_what_is_no_embedding_is_invalid(answer: Any) -> None:
    with pytest.raises(WireError) as caught:
        parse(answer, wanted(base64_=True))
    assert caught.value.failure.kind is Kind.INVALID


RECORDED = [
    exchange
    for provider in ("gemini", "vertex")
    for exchange in exchanges("recordings", provider=provider, endpoint="embeddings", status=200)
]


@needs_shared
@pytest.mark.parametrize("exchange", RECORDED, ids=lambda exchange: exchange["name"])
def test_recorded_answers(exchange: dict[str, Any]) -> None:
    body = exchange["response"]["body"]
    sent = body.get("embeddings") or [body["embedding"]]
    completion = parse(body, wanted(["a"] * len(sent)))
    assert [row["embedding"] for row in completion.body["data"]] == [embedding["values"] for embedding in sent]
