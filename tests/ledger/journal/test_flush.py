import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trio.testing

from clawgw.errors import LogSpoolFull
from clawgw.ledger.journal.flush import Flusher
from clawgw.ledger.journal.journal import Journal
from tests.ledger.records import begun, ended
from tests.waiting import until


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal.open(tmp_path, 64 * 1024 * 1024)
    yield journal
    journal.close()


class Syncs:
    """In place of `Journal.sync`: what had been written when each began; the first takes until it is released."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.begun = list[int]()
        self.release = trio.Event()

    def __call__(self) -> None:
        self.begun.append(self.journal.frames)
        if len(self.begun) == 1:
            trio.from_thread.run(self.release.wait)


async def test_what_is_new_is_synced_now_and_again(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = list[int]()
    monkeypatch.setattr(Journal, "sync", lambda journal: synced.append(journal.frames))
    monkeypatch.setattr("clawgw.ledger.journal.flush.EVERY_S", 0.001)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Flusher(journal, always=False).run)
        journal.intend(begun("a"))
        await until(lambda: synced == [1])
        journal.request_ended(ended("a"))
        await until(lambda: synced == [1, 2])
        nursery.cancel_scope.cancel()


async def test_those_who_wait_share_the_next_sync(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs = Syncs(journal)
    monkeypatch.setattr(Journal, "sync", lambda _: syncs())
    flusher = Flusher(journal, always=True)
    async with trio.open_nursery() as nursery:
        for number in range(10):
            journal.intend(begun(f"r{number}"))
            nursery.start_soon(flusher.durable)
            await until(lambda: bool(syncs.begun))
            await trio.testing.wait_all_tasks_blocked()
        syncs.release.set()
    assert syncs.begun == [1, 10]


async def test_interval_waits_for_nothing(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Journal, "sync", lambda _: pytest.fail("synced"))
    journal.intend(begun("a"))
    await Flusher(journal, always=False).durable()


def failing(_fd: int) -> None:
    raise OSError("the disk is gone")


async def test_where_it_must_be_durable_and_cannot_the_client_is_told(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.intend(begun("a"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", failing)
        with pytest.raises(LogSpoolFull):
            await Flusher(journal, always=True).durable()


async def test_a_disk_that_fails_is_told_and_tried_again(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("clawgw.ledger.journal.flush.EVERY_S", 0.001)
    journal.intend(begun("a"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", failing)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(Flusher(journal, always=False).run)
            await until(lambda: len(caplog.messages) > 1)
            nursery.cancel_scope.cancel()
    assert set(caplog.messages) == {"the log cannot be synced to the disk: the disk is gone"}
