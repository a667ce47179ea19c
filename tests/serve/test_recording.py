import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from clawgw.config.load import load
from clawgw.config.mistakes import ConfigError
from clawgw.ledger.journal.spool import Spool
from clawgw.ledger.record import Bodies
from clawgw.ledger.sinks.cursor import Cursor
from clawgw.serve.recording import Recording
from clawgw.web.metrics import Metrics
from tests.ledger.records import begun, ended
from tests.waiting import until


def recording_in(folder: Path, more: str = "") -> Recording:
    text = f'[log]\nspool = "{folder / "spool"}"\n{more}'
    return Recording.of(load(text, {}, read_file=lambda _: pytest.fail("no file is named")))


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    recording = recording_in(tmp_path, '[log.mongo]\nurl = "mongodb://db.example"\n')
    yield recording
    recording.close()


def test_a_folder_that_cannot_be_made_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "spool").touch()
    with pytest.raises(ConfigError, match="cannot be made: Not a directory"):
        recording_in(tmp_path)


async def test_how_full_the_spool_is_decides_on_bodies_and_those_dropped_are_counted(recording: Recording) -> None:
    metrics = Metrics(lambda target: target.model, "v1")
    recording.intend(begun("a"))
    recording.journal.taken = 2**40
    recording.request_ended(ended("a", bodies=Bodies("x", None)))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(recording.run, metrics)
        await until(lambda: "clawgw_log_bodies_dropped_total 1.0" in metrics.exposition("")[0].decode())
        nursery.cancel_scope.cancel()
    assert recording.journal.taken == recording.journal.spool.bytes()
    assert recording.journal.dropped_bodies == 0


async def test_what_any_sink_lacks_is_shown(recording: Recording) -> None:
    for name in ("a", "b", "c"):
        recording.intend(begun(name))
        recording.request_ended(ended(name))
    await recording.durable()
    Cursor(1, 100, 3).save(recording.journal.folder, "sqlite")
    Cursor(1, 50, 1).save(recording.journal.folder, "mongo")
    metrics = Metrics(lambda target: target.model, "v1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(recording.run, metrics)
        await until(lambda: "clawgw_log_spool_rows 2.0" in metrics.exposition("")[0].decode())
        nursery.cancel_scope.cancel()
    shown = metrics.exposition("")[0].decode()
    (size,) = (line.split()[1] for line in shown.splitlines() if line.startswith("clawgw_log_spool_bytes "))
    assert float(size) == recording.journal.spool.bytes() > 8_000_000


async def test_a_spool_that_cannot_be_looked_at_is_looked_at_again(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(_: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("clawgw.serve.recording._NOTE_EVERY_S", 0.001)
    metrics = Metrics(lambda target: target.model, "v1")
    async with trio.open_nursery() as nursery:
        with monkeypatch.context() as patch:
            patch.setattr(Spool, "bytes", failing)
            nursery.start_soon(recording.run, metrics)
            await until(lambda: bool(caplog.messages))
        recording.intend(begun("a"))
        await until(lambda: "clawgw_log_spool_bytes 0.0" not in metrics.exposition("")[0].decode())
        nursery.cancel_scope.cancel()
    assert set(caplog.messages) == {"log.spool cannot be looked at: [Errno 24] Too many open files"}
