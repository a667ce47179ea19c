import base64
import hashlib
import math
import struct
from operator import mul
from typing import Any

import pytest

from clawgw.errors import InvalidRequest
from clawgw.wire.checks.parse import check_embeddings_request
from clawgw.wire.echo.embeddings import answer_embeddings


def ask(given: Any, **fields: Any) -> dict[str, Any]:
    return answer_embeddings(check_embeddings_request({"model": "echo", "input": given, **fields})).body


def vectors(body: dict[str, Any]) -> list[Any]:
    return [item["embedding"] for item in body["data"]]


def test_a_whole_answer() -> None:
    body = ask(["Hello", "b"], dimensions=3)
    assert {key: value for key, value in body.items() if key != "data"} == {
        "object": "list",
        "model": "echo",
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }
    assert [(item["object"], item["index"], len(item["embedding"])) for item in body["data"]] == [
        ("embedding", 0, 3),
        ("embedding", 1, 3),
    ]


@pytest.mark.parametrize(("fields", "dimensions"), [({}, 256), ({"dimensions": 1}, 1), ({"dimensions": 1000}, 1000)])
def test_vectors_have_length_one(fields: dict[str, Any], dimensions: int) -> None:
    (vector,) = vectors(ask("Hello", **fields))
    assert len(vector) == dimensions
    assert math.hypot(*vector) == pytest.approx(1, abs=1e-6)


def test_numbers_come_from_the_hash_of_the_texts_hash_and_a_counter() -> None:
    block = hashlib.sha256(hashlib.sha256(b"Hello").digest() + bytes(4)).digest()
    first, second = (2 * int.from_bytes(block[at : at + 2], "big", signed=True) + 1 for at in (0, 2))
    (vector,) = vectors(ask("Hello", dimensions=2))
    assert vector[0] / vector[1] == pytest.approx(first / second, rel=1e-6)
    assert (vector[0] < 0) == (first < 0)


def test_equal_texts_have_equal_vectors_and_others_do_not() -> None:
    one, same, other, tokens = vectors(ask(["a", "a", "b", "1 2"]))
    assert one == same
    assert abs(sum(map(mul, one, other))) < 0.5
    assert vectors(ask([1, 2])) == [tokens]


def test_both_packings_hold_the_same_numbers() -> None:
    (packed,) = vectors(ask("Hello", encoding_format="base64"))
    (vector,) = vectors(ask("Hello", encoding_format="float"))
    assert struct.unpack("<256f", base64.b64decode(packed)) == tuple(vector)


def test_too_much_at_once_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="at most 1048576") as caught:
        ask(["a", "b"], dimensions=600_000)
    assert caught.value.param == "dimensions"
