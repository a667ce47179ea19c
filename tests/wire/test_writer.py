import json
from typing import Any

from clawgw.wire.events import Chunk, Done, Event, Failed, Passage, UsageReport, unfold
from clawgw.wire.failure import Failure, Kind
from clawgw.wire.usage import Usage
from clawgw.wire.writer import KEEPALIVE, StreamWriter, error_event

HEAD = {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m"}
BODY = {**HEAD, "service_tier": "default", "provider": "X", "choices": [{"index": 0, "delta": {"content": "a"}}]}
COUNTS = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
EVENTS: list[Event] = [
    Chunk(BODY, commits=True),
    UsageReport(Usage(1, 1, body={})),
    Chunk(BODY, commits=True),
    UsageReport(Usage(1, 2, body=COUNTS)),
    Done(),
]


def written(events: list[Event], *, include_usage: bool) -> list[Any]:
    raw = StreamWriter(include_usage).write(events).decode()
    assert raw.endswith("\n\n")
    datas = [line.removeprefix("data: ") for line in raw.removesuffix("\n\n").split("\n\n")]
    return [data if data == "[DONE]" else json.loads(data) for data in datas]


def test_usage_is_null_in_every_chunk_and_then_in_one_of_its_own() -> None:
    null = {**BODY, "usage": None}
    last = {**HEAD, "service_tier": "default", "choices": [], "usage": COUNTS}
    assert written(EVENTS, include_usage=True) == [null, null, last, "[DONE]"]


def test_without_asking_there_is_no_usage_anywhere() -> None:
    assert written(EVENTS, include_usage=False) == [BODY, BODY, "[DONE]"]


def test_a_passage_is_the_chunks_that_it_stands_for() -> None:
    template = b'{"id":"c1","model":"100%%","choices":[{"index":0,"delta":{"content":%b}}],"p":"%b"}'
    passage = Passage(template, [(b'"a"', b"x"), (b'"\\u00e9%"', b"y")], ["a", "é%"])
    chunks: list[Any] = [
        {"id": "c1", "model": "100%", "choices": [{"index": 0, "delta": {"content": text}}], "p": padding}
        for text, padding in (("a", "x"), ("é%", "y"))
    ]
    assert [*unfold([passage, Done()])] == [*(Chunk(body, commits=True) for body in chunks), Done()]
    assert written([passage], include_usage=False) == chunks
    assert written([passage], include_usage=True) == [{**body, "usage": None} for body in chunks]


def test_an_unknown_usage_is_not_made_up() -> None:
    assert written([Chunk(BODY, commits=True), Done()], include_usage=True) == [{**BODY, "usage": None}, "[DONE]"]


def test_a_failure_writes_nothing_and_no_done() -> None:
    writer = StreamWriter(include_usage=True)
    assert writer.write([UsageReport(Usage(1, 2, body=COUNTS)), Failed(Failure(Kind.RESET, "m"))]) == b""
    assert writer.write([]) == b""


def test_events_in_several_writes_are_the_same_bytes() -> None:
    writer = StreamWriter(include_usage=True)
    assert b"".join(writer.write([event]) for event in EVENTS) == StreamWriter(include_usage=True).write(EVENTS)


def test_an_error_event_is_one_event() -> None:
    assert error_event({"error": {"message": "a\nb"}}) == b'data: {"error":{"message":"a\\nb"}}\n\n'


def test_the_keepalive_is_a_comment() -> None:
    assert KEEPALIVE.startswith(b":")
    assert KEEPALIVE.endswith(b"\n\n")
