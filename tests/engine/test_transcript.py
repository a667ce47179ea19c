import logging

import orjson
import pytest
from trio.testing import MockClock

from clawgw.config.load import load
from clawgw.engine.transcript import BodyKeeper, Transcript
from clawgw.ledger.record import DROPPED, Bodies
from clawgw.wire.events import Chunk, Done, Event, UsageReport
from clawgw.wire.usage import usage_from_counts

REQUEST = {"model": "m", "messages": [{"role": "user", "content": "my key is anthropic-key-a"}]}
SAFE = '{"model":"m","messages":[{"role":"user","content":"my key is [redacted]"}]}'


def keeper(log: str = "") -> BodyKeeper:
    text = f"[providers.anthropic]\n[log]\nbodies = true\n{log}"
    snapshot = load(text, {"ANTHROPIC_API_KEY": "anthropic-key-a"}, read_file=lambda _: pytest.fail("no file is named"))
    keeper = BodyKeeper.of(snapshot)
    assert keeper is not None
    return keeper


def said(*pieces: str, finish: str | None = None) -> list[Event]:
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m"}
    ends = [*([None] * (len(pieces) - 1)), finish]
    return [
        Chunk({**head, "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": end}]}, commits=True)
        for piece, end in zip(pieces, ends, strict=True)
    ]


def content(bodies: Bodies) -> str:
    assert bodies.response is not None
    return str(orjson.loads(bodies.response)["choices"][0]["message"]["content"])


def heard(transcript: Transcript, *events: Event) -> Bodies:
    for event in events:
        transcript.take([event])
    return transcript.bodies()


def test_nothing_is_kept_unless_it_is_wanted() -> None:
    assert BodyKeeper.of(load("", {}, read_file=lambda _: pytest.fail("no file is named"))) is None


async def test_a_whole_answer() -> None:
    transcript = keeper().transcript(REQUEST)
    transcript.answer({"id": "c1", "choices": []})
    assert transcript.bodies() == Bodies(SAFE, '{"id":"c1","choices":[]}')


async def test_no_answer() -> None:
    assert keeper().transcript(REQUEST).bodies() == Bodies(SAFE, None)


async def test_a_stream_is_one_answer_and_a_secret_in_pieces_is_found() -> None:
    transcript = keeper().transcript(REQUEST)
    usage = usage_from_counts(7, 2)
    pieces = said("It is anthro", "pic-k", "ey-a.", finish="stop")
    bodies = heard(transcript, *pieces, UsageReport(usage), Done())
    assert bodies.response is not None
    assert orjson.loads(bodies.response) == {
        "id": "c1",
        "object": "chat.completion",
        "created": 7,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "It is [redacted]."},
                "finish_reason": "stop",
            }
        ],
        "usage": usage.body,
    }


@pytest.mark.parametrize("length", range(4, len("anthropic-key-a")))
async def test_of_a_stream_that_breaks_off_within_a_secret_nothing_of_it_stays(length: int) -> None:
    bodies = heard(keeper().transcript(REQUEST), *said("It is ", "anthropic-key-a"[:length]))
    assert content(bodies) == "It is [redacted]"


async def test_a_stream_that_fails_ends_with_its_error() -> None:
    transcript = keeper().transcript(REQUEST)
    heard(transcript, *said("Half"))
    transcript.fail({"error": {"message": "reset by anthropic-key-a"}})
    bodies = transcript.bodies()
    assert content(bodies) == "Half"
    assert bodies.response is not None
    assert orjson.loads(bodies.response)["error"] == {"message": "reset by [redacted]"}


async def test_an_error_alone() -> None:
    transcript = keeper().transcript(REQUEST)
    transcript.fail({"error": {"message": "no"}})
    assert transcript.bodies() == Bodies(SAFE, '{"error":{"message":"no"}}')


async def test_of_a_long_stream_the_beginning_is_kept_in_little_memory() -> None:
    transcript = keeper("max_body_bytes = 200").transcript(REQUEST)
    bodies = heard(transcript, *said(*["0123456789"] * 1000, finish="stop"), Done())
    assert bodies.request == SAFE
    assert bodies.response is not None
    head = '{"id":"c1","object":"chat.completion","created":7,"model":"m","choices":[{"index":0,"finish_reason":null,'
    said_first = head + '"message":{"role":"assistant","content":"' + "0123456789" * 20
    assert bodies.response == said_first[:200] + "[truncated]"
    assert len(orjson.dumps(transcript._assembly.so_far())) < 1500


async def test_many_small_pieces_that_were_not_all_put_together_are_marked() -> None:
    bodies = heard(keeper("max_body_bytes = 400").transcript(REQUEST), *said(*["x"] * 300, finish="stop"), Done())
    assert bodies.response is not None
    assert "[truncated]" in bodies.response


async def test_a_pattern_that_takes_too_long_costs_the_bodies_and_no_more(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clawgw.engine.transcript.LIMIT_S", 0.05)
    one = keeper("redact = ['(a+)+b']")
    assert one.keep({"x": "a" * 5000}, None) is DROPPED
    [line] = caplog.records
    assert line.levelno == logging.ERROR
    assert "took" in line.message
    assert "50 are allowed" in line.message
    assert one.keep({"x": "harmless"}, None) is DROPPED
    assert len(caplog.records) == 1
    autojump_clock.jump(1.01)
    assert one.keep({"x": "aaab"}, None) == Bodies('{"x":"[redacted]"}', None)


async def test_what_cannot_be_written_as_json_costs_the_bodies_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    assert keeper().keep({"x": "\ud800"}, None) is DROPPED
    assert "cannot be redacted: TypeError" in caplog.text


def test_neither_a_repr_nor_a_record_shows_what_was_said() -> None:
    assert "secret" not in repr(Bodies("secret", "secret"))
