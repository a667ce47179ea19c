import orjson
import pytest

from clawgw.wire.depth import is_deeper_than
from clawgw.wire.failure import Kind, WireError
from clawgw.wire.json_body import MAX_DEPTH, decode_json_object


def nested(levels: int) -> bytes:
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


@pytest.mark.parametrize(("levels", "deeper"), [(1, False), (4, False), (5, True), (6, True)])
def test_depth_counts_objects_and_arrays(levels: int, *, deeper: bool) -> None:
    body = nested(levels) if levels > 1 else b"{}"
    assert is_deeper_than(4, body, orjson.loads(body)) is deeper


def test_many_brackets_side_by_side_are_not_deep() -> None:
    body = b'{"a":[' + b",".join([b"[]"] * 100) + b"]}"
    assert not is_deeper_than(4, body, orjson.loads(body))


def test_an_upstreams_json_at_the_limit_can_still_be_written() -> None:
    assert orjson.dumps({"choices": [decode_json_object(nested(MAX_DEPTH))]})


def test_deeper_json_from_an_upstream_is_invalid() -> None:
    with pytest.raises(WireError) as caught:
        decode_json_object(nested(MAX_DEPTH + 1))
    assert caught.value.failure.kind is Kind.INVALID
