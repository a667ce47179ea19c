"""When a request is written down: before anybody is asked, and before its client has the end."""

from collections.abc import Sequence

import pytest
from attrs import define, field
from trio.testing import MockClock

from clawgw.engine.upstream import Call
from clawgw.errors import GatewayError, LogSpoolFull
from clawgw.gateway import PlainAnswer
from clawgw.ledger.record import Opening, RequestRecord
from tests.scripted_upstream import Reply
from tests.test_gateway import END, ROLE, Setting, arrival, chat, chunk, completion, error_reply, setting

STREAM = Reply(body=[ROLE, chunk({"content": "hi"}), 1.0, *END])


@define
class Notebook:
    """A `Ledger` that remembers what was done in which order; `full` and `broken`: it refuses."""

    done: list[str] = field(factory=list)
    openings: list[Opening] = field(factory=list)
    records: list[RequestRecord] = field(factory=list)
    full: bool = False
    broken: bool = False

    def intend(self, opening: Opening) -> None:
        if self.full:
            raise LogSpoolFull("full")
        self.done.append("intend")
        self.openings.append(opening)

    def request_ended(self, record: RequestRecord) -> None:
        if self.full:
            raise LogSpoolFull("full")
        self.done.append(f"end {record.outcome}")
        self.records.append(record)

    async def durable(self) -> None:
        if self.broken:
            raise LogSpoolFull("broken")
        self.done.append("durable")


def noted(reply: Reply) -> tuple[Setting, Notebook]:
    notebook = Notebook()

    def called(_: Call) -> Reply:
        notebook.done.append("call")
        return reply

    made = setting(called)
    made.gateway.ledger = notebook
    return made, notebook


async def receive_all(s: Setting, notebook: Notebook) -> Sequence[bytes]:
    stream = await s.gateway.answer(chat("both", stream=True), arrival(s))
    assert not isinstance(stream, PlainAnswer)
    received = []
    while data := await stream.receive():
        received.append(data)
        notebook.done.append("sent")
    stream.close()
    return received


async def test_a_plain_request(autojump_clock: MockClock) -> None:
    s, notebook = noted(completion())
    await s.gateway.answer(chat("both", metadata={"job": "7"}, user="u"), arrival(s))
    assert notebook.done == ["intend", "call", "end ok", "durable"]
    (begun,), (ended,) = notebook.openings, notebook.records
    assert (begun.request_id, begun.endpoint, begun.user, begun.metadata) == (
        "req_1",
        "chat.completions",
        "u",
        {"job": "7"},
    )
    assert ended == s.record
    assert begun == tuple(getattr(ended, name) for name in Opening._fields)
    assert ended.metadata == {"job": "7"}


async def test_a_stream(autojump_clock: MockClock) -> None:
    s, notebook = noted(STREAM)
    received = await receive_all(s, notebook)
    assert received[-1].endswith(b"data: [DONE]\n\n")
    assert notebook.done[:2] == ["intend", "call"]
    assert notebook.done[-4:] == ["sent", "end ok", "durable", "sent"]


async def test_what_a_stream_says_does_not_wait_for_its_record(autojump_clock: MockClock) -> None:
    s, notebook = noted(Reply(body=[b"".join([ROLE, chunk({"content": "hi"}), *END])]))
    said, ended = await receive_all(s, notebook)
    assert b'"hi"' in said
    assert ended == b"data: [DONE]\n\n"
    assert notebook.done[2:] == ["sent", "end ok", "durable", "sent"]


async def test_an_error_and_its_record(autojump_clock: MockClock) -> None:
    s, notebook = noted(error_reply(400))
    with pytest.raises(GatewayError):
        await s.gateway.answer(chat("both"), arrival(s))
    assert notebook.done == ["intend", "call", "end error"]


async def test_where_there_is_no_room_nobody_is_asked(autojump_clock: MockClock) -> None:
    s, notebook = noted(completion())
    notebook.full = True
    with pytest.raises(LogSpoolFull):
        await s.gateway.answer(chat("both"), arrival(s))
    assert notebook.done == []
    assert (s.record.status, s.record.error_code, s.record.attempts) == (503, "log_spool_full", ())


async def test_what_cannot_be_made_durable_is_not_told(autojump_clock: MockClock) -> None:
    s, notebook = noted(completion())
    notebook.broken = True
    with pytest.raises(LogSpoolFull):
        await s.gateway.answer(chat("both"), arrival(s))
    s, notebook = noted(STREAM)
    notebook.broken = True
    with pytest.raises(LogSpoolFull):
        await receive_all(s, notebook)
    assert notebook.done[-2:] == ["sent", "end ok"]
