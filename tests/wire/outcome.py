"""What becomes of a stream: the same, whichever way its parser takes."""

from collections.abc import Iterable
from typing import Any

import orjson
from attrs import frozen
from hypothesis import strategies as st

from clawgw.engine.seen import Seen, Used
from clawgw.wire.assemble import Assembly
from clawgw.wire.codec import Completion
from clawgw.wire.events import Event, SingleEvent, StreamParser, unfold
from clawgw.wire.writer import StreamWriter


@frozen
class Outcome:
    """All there is to see of a stream."""

    events: list[SingleEvent]
    told: list[Any]
    """The data of the events for the client, decoded."""
    finish_reason: str | None
    used: Used
    assembled: Completion | None


def outcome_of(parser: StreamParser, pieces: Iterable[bytes]) -> Outcome:
    """Of a stream that comes in `pieces`."""
    seen, writer, assembly = Seen(), StreamWriter(include_usage=True), Assembly(10**9)
    events: list[Event] = []
    written = b""
    for happened in (*map(parser.feed, pieces), parser.finish()):
        events += happened
        seen.note(happened)
        written += writer.write(happened)
        assembly.take(happened)
    lines = [line.removeprefix(b"data: ") for line in written.split(b"\n\n")[:-1]]
    told = [line if line == b"[DONE]" else orjson.loads(line) for line in lines]
    used = seen.used(lambda: 1)
    return Outcome(list(unfold(events)), told, seen.finish_reason, used, assembly.completion())


def damaged(streams: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Streams with some bytes changed for others."""
    new = st.binary(max_size=2) | st.sampled_from([b'"', b"\\", b"\n\n"])
    damages = st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 2), new), max_size=3)
    return st.builds(_damaged, streams, damages)


def _damaged(raw: bytes, damages: list[tuple[int, int, bytes]]) -> bytes:
    for place, gone, new in damages:
        at = place % (len(raw) + 1)
        raw = raw[:at] + new + raw[at + gone :]
    return raw
