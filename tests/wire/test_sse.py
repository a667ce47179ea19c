import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.wire.failure import Kind, WireError
from clawgw.wire.sse import BARE, SseDecoder, SseEvent, encode_sse, parse_event
from tests.splits import all_splits


def decode(*pieces: bytes, cap: int = 1000) -> list[SseEvent]:
    decoder = SseDecoder(cap)
    blocks = [block for piece in pieces for block in decoder.feed(piece)]
    return list(filter(None, map(parse_event, blocks + decoder.finish())))


def message(data: bytes) -> SseEvent:
    return SseEvent("message", data)


@pytest.mark.parametrize(
    ("raw", "events"),
    [
        (b"data: a\n\n", [message(b"a")]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [message(b"a"), message(b"b")]),
        (b"data: a\r\rdata: b\r\r", [message(b"a"), message(b"b")]),
        (b"data: a\r\n\ndata: b\n\r\n", [message(b"a"), message(b"b")]),
        (b"data:a\n\n", [message(b"a")]),
        (b"data:  a\n\n", [message(b" a")]),
        (b"data: a: b\n\n", [message(b"a: b")]),
        (b"data: a\ndata: b\n\n", [message(b"a\nb")]),
        (b"data\n\n", [message(b"")]),
        (b"data: \n\n", [message(b"")]),
        (b"data: a\n\n\n\n\ndata: b\n\n", [message(b"a"), message(b"b")]),
        (b"\n\n\ndata: a\n\n", [message(b"a")]),
        (b": OPENROUTER PROCESSING\n\ndata: a\n\n", [message(b"a")]),
        (b": note\ndata: a\n: note\n\n", [message(b"a")]),
        (b"event: ping\n\n", []),
        (b"event: error\ndata: a\n\ndata: b\n\n", [SseEvent("error", b"a"), message(b"b")]),
        (b"event:error\ndata: a\n\n", [SseEvent("error", b"a")]),
        (b"event: \xff\ndata: a\n\n", [SseEvent("\ufffd", b"a")]),
        (b"id: 1\nretry: 5\ndata: a\nother: x\n\n", [message(b"a")]),
        (b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n", [message(b"a")]),
        (b"data: a", [message(b"a")]),
        (b"data: a\n", [message(b"a")]),
        (b"data: a\r\n", [message(b"a")]),
        (b"data: \xe2\x82\xac \xff\n\n", [message(b"\xe2\x82\xac \xff")]),
        (b'{\n "error": {}\n}', [SseEvent(BARE, b'{\n "error": {}\n}')]),
        (b"data: a\n\n  [1]\n", [message(b"a"), SseEvent(BARE, b"  [1]")]),
        (b"<html>\r\n</html>", [SseEvent(BARE, b"<html>\n</html>")]),
        (b"", []),
    ],
)
def test_events_are_the_same_however_the_bytes_are_split(raw: bytes, events: list[SseEvent]) -> None:
    assert decode(raw) == events
    for pieces in all_splits(raw):
        assert decode(*pieces) == events
        assert decode(*(part for piece in pieces for part in (piece, b""))) == events


@given(st.lists(st.binary(max_size=40).filter(lambda data: b"\n" not in data and b"\r" not in data)))
def test_what_is_encoded_is_decoded(payloads: list[bytes]) -> None:
    assert decode(b"".join(map(encode_sse, payloads))) == [message(payload) for payload in payloads]


alphabet = st.sampled_from(
    [b"data: ", b"data:", b"event: e", b":", b"\n", b"\r", b"\r\n", b"\n\n", b"x", b"{", b"\xef"]
)


@given(st.lists(alphabet, max_size=30).map(b"".join), st.data())
def test_any_bytes_give_the_same_events_or_the_same_error_in_any_split(raw: bytes, data: st.DataObject) -> None:
    def outcome(pieces: list[bytes]) -> tuple[list[SseEvent], Kind | None]:
        decoder, blocks, kind = SseDecoder(12), list[bytes](), None
        try:
            for piece in pieces:
                blocks += decoder.feed(piece)
            blocks += decoder.finish() + decoder.finish()
        except WireError as error:
            kind = error.failure.kind
        return list(filter(None, map(parse_event, blocks))), kind

    cut = data.draw(st.integers(0, len(raw)))
    whole = outcome([raw])
    assert outcome([raw[:cut], raw[cut:]]) == whole
    assert outcome([bytes([byte]) for byte in raw]) == whole


@pytest.mark.parametrize("pieces", [[b"data: 12345\n\n"], [b"data: 1", b"2345"], [b"data: 12345"], [b"x"] * 12])
def test_an_event_over_the_cap_is_refused(pieces: list[bytes]) -> None:
    with pytest.raises(WireError, match="more than 10 bytes") as raised:
        decode(*pieces, cap=10)
    assert raised.value.failure.kind is Kind.TOO_LARGE


def test_an_event_of_just_the_cap_is_taken() -> None:
    assert decode(b"data: 1234\n", b"\n", cap=10) == [message(b"1234")]


def test_events_before_the_one_over_the_cap_are_handed_out() -> None:
    decoder = SseDecoder(10)
    assert decoder.feed(b"data: a\n\ndata: 12345\n\ndata: b\n\n") == [b"data: a"]
    with pytest.raises(WireError):
        decoder.feed(b"data: b\n\n")


def test_memory_stays_under_the_cap() -> None:
    decoder = SseDecoder(1000)
    decoder.feed(b"data: a\n\n" + b"x" * 5000)
    with pytest.raises(WireError):
        decoder.feed(b"x" * 5000)
    assert not decoder._buffer
