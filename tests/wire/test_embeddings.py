import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.wire.codec import Completion, WireTarget
from clawgw.wire.embeddings import build_embeddings, pack, parse_embeddings, unpack
from clawgw.wire.failure import Kind, WireError
from clawgw.wire.openai.dialects import GROQ, MISTRAL, MOONSHOT, OPENAI, OPENROUTER, Dialect
from clawgw.wire.request import EmbeddingsRequest
from clawgw.wire.usage import Particulars, Usage
from tests.shared import exchanges, needs_shared
from tests.wire.openai.streams import PROVIDERS

TARGET = WireTarget("p", "embedder")


def asked(**body: Any) -> EmbeddingsRequest:
    body = {"model": "asked", "input": "a", **body}
    return EmbeddingsRequest(body, "asked", base64=body.get("encoding_format") == "base64")


def sent(dialect: Dialect, **body: Any) -> Any:
    return orjson.loads(build_embeddings(asked(**body), TARGET, dialect).body)


def parsed(answer: Any, **body: Any) -> Completion:
    return parse_embeddings(json.dumps(answer).encode(), asked(**body), TARGET)


def test_the_caller_s_body_goes_out_under_the_target_s_model() -> None:
    request = build_embeddings(asked(dimensions=8, user="u", x_new=1, encoding_format="base64"), TARGET, OPENAI)
    assert request.path == "/embeddings"
    assert orjson.loads(request.body) == {
        "model": "embedder",
        "input": "a",
        "dimensions": 8,
        "user": "u",
        "x_new": 1,
        "encoding_format": "base64",
    }
    assert sent(OPENROUTER, input=[[1, 2], [3]]) == {"model": "embedder", "input": [[1, 2], [3]]}


def test_mistral_has_its_own_names_and_no_user() -> None:
    request = build_embeddings(asked(dimensions=8, user="u"), TARGET, MISTRAL)
    assert orjson.loads(request.body) == {"model": "embedder", "input": "a", "output_dimension": 8}
    assert request.dropped == ["user"]


@pytest.mark.parametrize("tokens", [[1, 2], [[1], [2]], ["a", [1]]])
def test_mistral_takes_no_token_ids(tokens: Any) -> None:
    with pytest.raises(WireError) as raised:
        sent(MISTRAL, input=tokens)
    assert (raised.value.failure.kind, raised.value.failure.param) == (Kind.UNSUPPORTED, "input")
    assert sent(MISTRAL, input=["a", "b"])["input"] == ["a", "b"]


@pytest.mark.parametrize("dialect", [GROQ, MOONSHOT], ids=lambda dialect: dialect.name)
def test_some_have_no_embeddings(dialect: Dialect) -> None:
    with pytest.raises(WireError, match="p has no embeddings") as raised:
        sent(dialect)
    assert (raised.value.failure.kind, raised.value.failure.code) == (Kind.UNSUPPORTED, "unsupported_endpoint")


# 1.0 is 00 00 80 3f and -2.5 is 00 00 20 c0 as little-endian float32.
PACKED = "AACAPwAAIMA="
USAGE = {"prompt_tokens": 3, "total_tokens": 3}


@pytest.mark.parametrize("embedding", [[1.0, -2.5], PACKED])
def test_the_packing_is_what_the_client_asked_for(embedding: Any) -> None:
    answer = {"data": [{"index": 0, "embedding": embedding}], "usage": USAGE}
    assert parsed(answer).body["data"] == [{"index": 0, "object": "embedding", "embedding": [1.0, -2.5]}]
    packed = parsed(answer, encoding_format="base64").body["data"]
    assert packed == [{"index": 0, "object": "embedding", "embedding": PACKED}]


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_what_is_packed_is_unpacked(values: list[float]) -> None:
    assert unpack(pack(values)) == values


def test_the_answer_is_openai_s_list() -> None:
    answer = {"data": [{"embedding": [1]}, {"embedding": [2]}], "usage": {**USAGE, "completion_tokens": 0}, "id": "x"}
    assert parsed(answer) == Completion(
        {
            "id": "x",
            "object": "list",
            "model": "embedder",
            "data": [
                {"object": "embedding", "index": 0, "embedding": [1]},
                {"object": "embedding", "index": 1, "embedding": [2]},
            ],
            "usage": USAGE,
        },
        Usage(3, 0, body=USAGE),
    )
    assert parsed({"data": [{"embedding": [1]}]}).usage is None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"error": {"code": 402, "message": "m"}}, Kind.QUOTA),
        ({"data": []}, Kind.INVALID),
        ({"data": [{"embedding": None}]}, Kind.INVALID),
        ({"data": [{"embedding": "not base64"}]}, Kind.INVALID),
        ({"data": [{"embedding": "€"}]}, Kind.INVALID),
        ({"data": [{"embedding": "QUJD"}]}, Kind.INVALID),
        ([], Kind.INVALID),
    ],
)
def test_an_answer_that_is_none_is_a_failure(answer: Any, kind: Kind) -> None:
    with pytest.raises(WireError) as raised:
        parsed(answer)
    assert raised.value.failure.kind is kind


@pytest.mark.parametrize(
    ("text", "dimensions", "expected"),
    [
        ("AACAPw==", None, [1.0]),
        ("AACAPw==", 1, [1.0]),
        ("AACAPw==", 4, "AACAPw=="),
        ("AACAfw==", None, "AACAfw=="),  # infinity: 00 00 80 7f
    ],
)
def test_base64_that_nobody_asked_for_becomes_numbers_where_it_holds_float32(
    text: str, dimensions: int | None, expected: Any
) -> None:
    answer = parsed({"data": [{"embedding": text}]}, dimensions=dimensions)
    assert answer.body["data"][0]["embedding"] == expected


@pytest.mark.parametrize("embedding", [["a"], [None], [1e300], [[1.0]]])
def test_what_is_no_vector_cannot_be_packed(embedding: Any) -> None:
    with pytest.raises(WireError) as raised:
        parsed({"data": [{"embedding": embedding}]}, encoding_format="base64")
    assert raised.value.failure.kind is Kind.INVALID


@needs_shared
def test_recorded_vectors_are_kept_to_the_bit() -> None:
    recorded = [
        exchange["response"]["body"]
        for provider in PROVIDERS
        for exchange in exchanges("recordings", provider=provider, endpoint="embeddings")
        if exchange["response"]["status"] == 200
    ]
    assert recorded
    for answer in recorded:
        for item, fitted in zip(answer["data"], parsed(answer, encoding_format="base64").body["data"], strict=True):
            given_vector = item["embedding"]
            assert fitted["embedding"] == (given_vector if isinstance(given_vector, str) else pack(given_vector))
        usage = parsed(answer).usage
        assert usage is not None
        assert (usage.prompt, usage.completion) == (answer["usage"]["prompt_tokens"], 0)
        assert usage.body == parsed(answer).body["usage"]


def test_what_it_cost_is_kept_beside_the_counts() -> None:
    usage = parsed({"data": [{"embedding": [1.0]}], "usage": {**USAGE, "cost": 6e-08}}).usage
    assert usage is not None
    assert usage.particulars == Particulars(cost_usd=6e-08)
