import zlib

import orjson
from hypothesis import given
from hypothesis import strategies as st

from clawgw.config.values import MAX_BODY_BYTES
from clawgw.ledger.journal.frame import MAGIC, MAX_FRAME, Kind, decode, encode, reach
from clawgw.ledger.record import AttemptRecord
from clawgw.policy import Target
from tests.ledger.records import document, ended, frame_of

DOCUMENTS = st.dictionaries(st.text(max_size=5), st.text(max_size=20) | st.integers(0, 2**63 - 1) | st.none())


def test_the_bytes_of_a_frame() -> None:
    checked = b"f" + b"\x07\x00\x00\x00"
    checksum = zlib.crc32(checked + b'{"a":1}').to_bytes(4, "little")
    assert encode(Kind.FINAL, b'{"a":1}') == b"\xffcg" + checked + checksum + b'{"a":1}'


@given(DOCUMENTS, st.sampled_from(Kind), st.binary(max_size=30))
def test_what_was_written_is_read_wherever_it_lies(fields: dict[str, object], kind: Kind, before: bytes) -> None:
    frame = decode(before + frame_of(kind, fields), len(before))
    assert frame is not None
    assert (frame.kind, orjson.loads(frame.payload)) == (kind, fields)
    assert frame.end == len(before + frame_of(kind, fields))


@given(DOCUMENTS, st.data())
def test_no_part_of_a_frame_is_one(fields: dict[str, object], data: st.DataObject) -> None:
    frame = frame_of(Kind.FINAL, fields)
    assert decode(frame[: data.draw(st.integers(0, len(frame) - 1))], 0) is None


@given(DOCUMENTS, st.data())
def test_a_frame_with_a_bit_turned_is_none(fields: dict[str, object], data: st.DataObject) -> None:
    frame = bytearray(frame_of(Kind.FINAL, fields))
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    frame[bit // 8] ^= 1 << bit % 8
    assert decode(bytes(frame) + bytes(MAX_FRAME), 0) is None


@given(st.binary(max_size=300), st.integers(0, 20))
def test_any_bytes_are_no_frame(data: bytes, at: int) -> None:
    assert decode(MAGIC + data, at) is None
    assert decode(data, at) is None


def test_a_record_with_all_that_a_caller_may_say_is_kept_whole() -> None:
    metadata = {f"{number:064}": "v" * 512 for number in range(16)}
    record = document(ended("req_1", user="u" * 512, metadata=metadata))
    frame = decode(frame_of(Kind.FINAL, record), 0)
    assert frame is not None
    assert orjson.loads(frame.payload) == record


def test_a_record_that_is_too_large_is_cut_and_still_a_record() -> None:
    attempt = AttemptRecord(Target("openai", "\0" * 2_000), "retry", 1.0, 2.0, "failed")
    worst = "\0" * 20_000
    record = document(
        ended(
            "req_" + "0" * 26,
            attempts=(attempt,) * 100,
            model=worst,
            user=worst,
            route=worst,
            key=worst,
            finish_reason=worst,
            labels={f"{number}{worst}": worst for number in range(100)},
            metadata={f"{number}{worst}": worst for number in range(100)},
        )
    )
    written = frame_of(Kind.FINAL, record)
    assert len(written) <= MAX_FRAME
    frame = decode(written, 0)
    assert frame is not None
    kept = orjson.loads(frame.payload)
    assert kept.keys() == record.keys()
    assert kept["request_id"] == "req_" + "0" * 26
    assert kept["attempts"][0].keys() == record["attempts"][0].keys()
    assert worst.startswith(kept["model"])


def test_a_long_text_is_cut_no_more_than_it_must_be() -> None:
    frame = decode(frame_of(Kind.FINAL, document(ended("req_1", model="m" * 20_000))), 0)
    assert frame is not None
    assert orjson.loads(frame.payload)["model"] == "m" * 256


@given(DOCUMENTS, st.text(max_size=30), st.none() | st.text(max_size=30))
def test_bodies_are_members_of_the_document(fields: dict[str, object], request: str, response: str | None) -> None:
    texts = {"request_body": request, "response_body": response}
    frame = decode(frame_of(Kind.FINAL, {"request_id": "a", **fields}, texts), 0)
    assert frame is not None
    assert orjson.loads(frame.payload) == {"request_id": "a", **fields, **texts}


def test_the_largest_bodies_there_can_be_fit() -> None:
    worst = '\\"' * (MAX_BODY_BYTES // 2) + "[truncated]"
    record = document(ended("req_1", model="m" * 20_000))
    frame = decode(frame_of(Kind.FINAL, record, {"request_body": worst, "response_body": worst}), 0)
    assert frame is not None
    assert orjson.loads(frame.payload)["response_body"] == worst


@given(DOCUMENTS, st.data())
def test_how_many_bytes_are_needed_is_known_from_the_header_on(fields: dict[str, object], data: st.DataObject) -> None:
    frame = frame_of(Kind.FINAL, fields)
    there = data.draw(st.integers(0, len(frame)))
    assert reach(frame[:there], 0) == (12 if there < 12 else len(frame))
    assert reach(bytes(12), 0) == 0
