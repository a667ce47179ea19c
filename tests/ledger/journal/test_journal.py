import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawgw.errors import LogSpoolFull
from clawgw.ledger.journal.frame import MAX_FRAME, Kind
from clawgw.ledger.journal.journal import Journal
from clawgw.ledger.journal.segment import read_all, read_page
from clawgw.ledger.journal.spool import Spool, WriterFolder
from clawgw.ledger.record import DROPPED, Bodies
from tests.ledger.records import begun, ended
from tests.ledger.small_disk import small_disk

MIB = 1024 * 1024


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal.open(tmp_path, 64 * MIB)
    yield journal
    journal.close()


def folder(spool: Path) -> WriterFolder:
    (writer,) = Spool(spool).writers()
    return writer


def finals(spool: Path) -> list[str]:
    """The ids of all records, as often as they are there."""
    found = []
    for writer in Spool(spool).writers():
        for number in writer.segments():
            found += [
                orjson.loads(frame.payload)["request_id"]
                for frame in read_all(writer.segment(number))
                if frame.kind is Kind.FINAL
            ]
    return found


def test_a_request_is_there_when_the_call_is_over(journal: Journal, tmp_path: Path) -> None:
    journal.intend(begun("a"))
    journal.intend(begun("b"))
    journal.request_ended(ended("a"))
    page = read_page(folder(tmp_path).segment(1), 0, sealed=False)
    assert [(frame.kind, orjson.loads(frame.payload)["request_id"]) for frame in page.frames] == [
        (Kind.INTENT, "a"),
        (Kind.INTENT, "b"),
        (Kind.FINAL, "a"),
    ]
    assert journal.rows == 1


def test_another_segment_begins_with_what_is_open(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, MIB)
    journal.intend(begun("open"))
    while len(folder(tmp_path).segments()) == 1:
        journal.intend(begun("done"))
        journal.request_ended(ended("done"))
    second = folder(tmp_path).segment(2)
    first_frame = next(iter(read_page(second, 0, sealed=False).frames))
    assert orjson.loads(first_frame.payload)["request_id"] == "open"
    first = folder(tmp_path).segment(1)
    assert read_page(first, 0, sealed=False).end == first.stat().st_size
    journal.close()


def test_room_for_every_open_request_is_on_the_disk(journal: Journal, tmp_path: Path) -> None:
    said: dict[str, Any] = {"user": "u" * 512, "metadata": {f"{n}": "v" * 512 for n in range(16)}}
    for number in range(300):
        journal.intend(begun(f"r{number}", **said))
        last = folder(tmp_path).segment(folder(tmp_path).segments()[-1])
        used = read_page(last, 0, sealed=False, size=64 * MIB).end
        assert last.stat().st_blocks * 512 - used >= (number + 1) * MAX_FRAME
    for number in range(300):
        journal.request_ended(ended(f"r{number}", **said))
    assert sorted(finals(tmp_path)) == sorted(f"r{number}" for number in range(300))


def test_a_full_spool_refuses_and_loses_nothing(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, MIB)
    begun_ids = fill(journal, lambda number: f"r{number}")
    with pytest.raises(LogSpoolFull) as full:
        journal.intend(begun("more"))
    assert 20 < len(begun_ids) < 64
    assert (full.value.status, full.value.code) == (503, "log_spool_full")
    assert Spool(tmp_path).bytes() <= MIB
    for request_id in begun_ids:
        journal.request_ended(ended(request_id))
    journal.close()
    assert sorted(finals(tmp_path)) == sorted(begun_ids)


def test_once_there_is_room_again_requests_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawgw.ledger.journal.journal._FULL_FOR_S", 0.0)
    dead = Journal.open(tmp_path, MIB)
    dead.intend(begun("x"))
    (left,) = Spool(tmp_path).writers()
    journal = Journal.open(tmp_path, Spool(tmp_path).bytes() + 1000)
    with pytest.raises(LogSpoolFull):
        journal.intend(begun("y"))
    dead.close()
    left.remove()
    journal.intend(begun("y"))
    journal.close()


def test_a_spool_found_full_is_not_looked_at_for_each_request(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal.open(tmp_path, 1)
    for _ in range(50):
        with pytest.raises(LogSpoolFull):
            journal.intend(begun("x"))
    assert len(caplog.records) < 5
    assert "log.max_spool_bytes = 1 " in caplog.text
    journal.close()


def test_a_write_that_is_cut_short_is_taken_back(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.intend(begun("a"))
    journal.intend(begun("b"))
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: whole(fd, data[:-5], at))
    journal.request_ended(ended("a"))
    assert finals_of_living(tmp_path) == []
    monkeypatch.undo()
    journal.intend(begun("c"))
    journal.request_ended(ended("b"))
    assert finals_of_living(tmp_path) == ["a", "b"]
    assert journal.rows == 2


def test_a_record_that_could_not_be_written_is_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal.open(tmp_path, MIB)
    journal.intend(begun("a"))

    def failing(*_: object) -> int:
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", failing)
        journal.request_ended(ended("a"))
        with pytest.raises(LogSpoolFull):
            journal.intend(begun("b"))
    assert "a: the log cannot be written: the disk is gone" in caplog.text
    journal.close()
    assert finals(tmp_path) == ["a"]


def test_a_record_that_can_never_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal.open(tmp_path, MIB)
    journal.intend(begun("a"))
    monkeypatch.setattr(os, "pwrite", lambda _fd, _data, _at: 0)
    journal.request_ended(ended("a"))
    journal.close()
    assert "1 records could not be written and are lost" in caplog.text


def test_what_was_not_intended_is_written_where_there_is_room(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, MIB)
    open_ids = fill(journal, lambda number: f"r{number}")
    hits = map(journal.request_ended, (ended(f"hit{number}") for number in range(1000)))
    with pytest.raises(LogSpoolFull):
        list(hits)
    for request_id in open_ids:
        journal.request_ended(ended(request_id))
    journal.close()
    assert {*open_ids} <= {*finals(tmp_path)}
    assert len(finals(tmp_path)) == journal.rows


def test_an_intent_that_cannot_be_written_refuses(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.intend(begun("a"))
    monkeypatch.setattr(os, "pwrite", lambda _fd, _data, _at: 0)
    with pytest.raises(LogSpoolFull):
        journal.intend(begun("b"))


LARGE = Bodies("x" * 50_000, "y" * 50_000)


def test_bodies_are_written_with_their_record(journal: Journal, tmp_path: Path) -> None:
    journal.intend(begun("a"))
    journal.request_ended(ended("a", bodies=LARGE))
    page = read_page(folder(tmp_path).segment(1), 0, sealed=False)
    record = orjson.loads(page.frames[-1].payload)
    assert record["bodies"] == "kept"
    assert (record["request_body"], record["response_body"]) == (LARGE.request, LARGE.response)
    assert journal.dropped_bodies == 0


def test_at_four_fifths_of_the_spool_records_go_without_bodies(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, MIB)
    while not journal.dropped_bodies:
        journal.intend(begun("r"))
        journal.request_ended(ended("r", bodies=LARGE))
    one_segment_for_records = 64 * 1024
    assert MIB * 8 // 10 - 300_000 < Spool(tmp_path).bytes() < MIB * 8 // 10 + one_segment_for_records
    journal.intend(begun("last"))
    journal.request_ended(ended("last", bodies=LARGE))
    journal.close()
    kept = records(tmp_path)
    assert [record["bodies"] for record in kept] == ["kept"] * (len(kept) - 2) + ["dropped"] * 2
    assert len(kept) - 2 in (7, 8)
    assert kept[-1]["request_id"] == "last"
    assert "request_body" not in kept[-1]
    assert journal.dropped_bodies == 2


def test_bodies_never_take_the_room_of_records(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, MIB)
    open_ids = fill(journal, lambda number: f"r{number}")
    for request_id in open_ids:
        journal.request_ended(ended(request_id, bodies=Bodies("x" * 20_000)))
    journal.close()
    assert sorted(finals(tmp_path)) == sorted(open_ids)
    assert journal.dropped_bodies == len(open_ids)


@pytest.mark.parametrize(("taken", "bodies"), [(MIB * 8 // 10 - 1, "kept"), (MIB * 8 // 10, "dropped")])
def test_what_others_have_taken_of_the_spool_counts(tmp_path: Path, taken: int, bodies: str) -> None:
    journal = Journal.open(tmp_path, MIB)
    journal.intend(begun("a"))
    journal.taken = taken
    journal.request_ended(ended("a", bodies=Bodies("x", "y")))
    journal.close()
    assert [record["bodies"] for record in records(tmp_path)] == [bodies]


def test_bodies_that_were_dropped_before_are_counted_too(journal: Journal, tmp_path: Path) -> None:
    journal.intend(begun("a"))
    journal.request_ended(ended("a", bodies=DROPPED))
    assert journal.dropped_bodies == 1
    page = read_page(folder(tmp_path).segment(1), 0, sealed=False)
    assert orjson.loads(page.frames[-1].payload)["bodies"] == "dropped"


def test_a_spool_without_room_for_bodies_still_takes_requests(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, MIB)
    journal.intend(begun("a"))
    journal.request_ended(ended("a", bodies=Bodies("x" * 900_000)))
    journal.intend(begun("b"))
    journal.request_ended(ended("b", bodies=Bodies("x", "y")))
    journal.request_ended(ended("hit", bodies=Bodies("x" * 900_000)))
    journal.close()
    assert [(record["request_id"], record["bodies"]) for record in records(tmp_path)] == [
        ("a", "dropped"),
        ("b", "kept"),
        ("hit", "dropped"),
    ]


def records(spool: Path) -> list[dict[str, Any]]:
    """All final ones."""
    writer = folder(spool)
    frames = [frame for number in writer.segments() for frame in read_all(writer.segment(number))]
    return [orjson.loads(frame.payload) for frame in frames if frame.kind is Kind.FINAL]


FILE_LIMIT = """
import resource, sys
from pathlib import Path
from clawgw.errors import LogSpoolFull
from clawgw.ledger.journal.journal import Journal
from tests.ledger.records import begun, ended

journal = Journal.open(Path(sys.argv[1]), 2**30)
resource.setrlimit(resource.RLIMIT_FSIZE, (2**14, 2**14))
try:
    journal.intend(begun("a"))
except LogSpoolFull:
    print("refused")
"""


def test_a_file_that_may_not_grow_refuses(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", FILE_LIMIT, tmp_path], check=True, capture_output=True, text=True)  # noqa: S603 - our own code
    assert run.stdout == "refused\n"
    assert Spool(tmp_path).bytes() == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path, "1m"):
        yield tmp_path


def test_a_full_disk_refuses_loses_nothing_and_recovers(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawgw.ledger.journal.journal._FULL_FOR_S", 0.0)
    filler = disk / "filler"
    filler.write_bytes(bytes(500 * 1024))
    journal = Journal.open(disk / "spool", 8 * MIB)
    taken = fill(journal, lambda number: f"r{number}")
    assert len(taken) > 5
    for request_id in taken:
        journal.request_ended(ended(request_id))
    filler.unlink()
    more = fill(journal, lambda number: f"s{number}")
    assert len(more) > len(taken)
    for request_id in more:
        journal.request_ended(ended(request_id))
    journal.close()
    assert sorted(finals(disk / "spool")) == sorted(taken + more)


def fill(journal: Journal, name: Callable[[int], str]) -> list[str]:
    taken = list[str]()
    try:
        while True:
            journal.intend(begun(name(len(taken))))
            taken.append(name(len(taken)))
    except LogSpoolFull:
        return taken


def finals_of_living(spool: Path) -> list[str]:
    writer = folder(spool)
    pages = [read_page(writer.segment(number), 0, sealed=False) for number in writer.segments()]
    return [
        orjson.loads(frame.payload)["request_id"] for page in pages for frame in page.frames if frame.kind is Kind.FINAL
    ]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 600)), max_size=200))
def test_whatever_comes_and_goes_every_end_is_there_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int]]
) -> None:
    spool = tmp_path_factory.mktemp("spool")
    journal = Journal.open(spool, 4 * MIB)
    running, over = dict[int, str](), list[str]()
    for count, (slot, size) in enumerate(steps):
        if slot in running:
            over.append(running.pop(slot))
            journal.request_ended(ended(over[-1], model="m" * size))
        else:
            running[slot] = f"r{count}"
            journal.intend(begun(running[slot]))
    journal.sync()
    journal.close()
    assert sorted(finals(spool)) == sorted(over)


class Disk:
    """Notes which files are synced, by the number of their inode; `meanwhile` happens before the first one is."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.synced = list[int]()
        self.meanwhile: Callable[[], None] | None = meanwhile

    def fdatasync(self, fd: int) -> None:
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            happens()
        self.synced.append(os.fstat(fd).st_ino)


def fill_segment(journal: Journal, spool: Path) -> None:
    """Until another one is written to."""
    before = folder(spool).segments()
    while folder(spool).segments() == before:
        journal.intend(begun("x"))
        journal.request_ended(ended("x"))


def inode(spool: Path, number: int) -> int:
    return folder(spool).segment(number).stat().st_ino


def test_a_segment_that_is_replaced_during_a_sync_is_synced_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal.open(tmp_path, MIB)
    fill_segment(journal, tmp_path)
    fill_segment(journal, tmp_path)
    disk = Disk(lambda: fill_segment(journal, tmp_path))
    monkeypatch.setattr(os, "fdatasync", disk.fdatasync)
    journal.sync()
    assert {*disk.synced} >= {inode(tmp_path, number) for number in (1, 2)}
    journal.close()


def test_what_could_not_be_synced_is_synced_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing() -> None:
        raise OSError("the disk is gone")

    journal = Journal.open(tmp_path, MIB)
    fill_segment(journal, tmp_path)
    fill_segment(journal, tmp_path)
    for disk in (Disk(failing), Disk()):
        monkeypatch.setattr(os, "fdatasync", disk.fdatasync)
        if disk.meanwhile is failing:
            with pytest.raises(OSError, match="the disk is gone"):
                journal.sync()
    journal.sync()
    assert {*disk.synced} == {inode(tmp_path, number) for number in (1, 2)}
    journal.close()
