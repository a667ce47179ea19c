import logging
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio
from attrs import define

from clawgw.config.load import load
from clawgw.config.snapshot import Snapshot
from clawgw.ledger.journal.journal import Journal
from clawgw.ledger.spent import Spending, spending
from clawgw.limits.bucket import Bucket
from clawgw.limits.memory import MemoryStore
from clawgw.serve import seeding
from clawgw.serve.limiting import LimitKeeper
from clawgw.serve.seeding import Seeding
from tests.ledger.test_spending import NOW_MS, attempt, deliver, whole
from tests.waiting import until

ROUTE = '[routes.fast]\ntargets = ["echo/echo"]\nbudget = {{ usd = 0.000001, per = "{}" }}\n'
LIMIT = 1_000
"""In nano-dollars."""


def budget(per: Any = "day") -> Bucket:
    return Bucket("route", "fast", "usd", LIMIT, per)


@define
class Setting:
    folder: Path
    store: MemoryStore
    reads: int = 0

    def snapshot(self, text: str) -> Snapshot:
        log = f'[log]\npath = "{self.folder}/clawgw.db"\nspool = "{self.folder}/spool"\n'
        return load(log + text, {}, read_file=lambda _: b"")

    def spend(self, nano: int) -> None:
        """On the route, a moment ago."""
        with closing(Journal.open(self.folder / "spool", 2**20)) as journal:
            journal.request_ended(whole(f"{journal.folder}", NOW_MS, [attempt(pico=nano * 1_000)], route="fast"))

    def used(self, per: str = "day") -> int:
        standing = self.store.peek(budget(per))
        assert standing is not None
        return LIMIT - standing.remaining


@pytest.fixture
def s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Setting]:
    setting = Setting(tmp_path, MemoryStore(lambda: NOW_MS))

    def read(*asked: Any) -> Spending:
        setting.reads += 1
        return spending(*asked)

    monkeypatch.setattr(seeding, "now_ms", lambda: NOW_MS)
    monkeypatch.setattr(seeding, "spending", read)
    monkeypatch.setattr(seeding, "SOON_S", 0.01)
    yield setting
    setting.store.close()


async def test_budgets_begin_with_what_was_spent(s: Setting) -> None:
    s.spend(300)
    for per in ("hour", "day", "month"):
        made = Seeding.of(s.snapshot(ROUTE.format(per)))
        await made.begin(s.store, made.budgets)
        assert s.used(per) == 300


async def test_without_budgets_nobody_looks(s: Setting) -> None:
    made = Seeding.of(s.snapshot('[routes.fast]\ntargets = ["echo/echo"]'))
    await made.begin(s.store, made.budgets)
    assert (s.reads, s.used()) == (0, 0)


async def test_what_comes_to_the_database_later_is_told_later(s: Setting, nursery: trio.Nursery) -> None:
    made = Seeding.of(s.snapshot(ROUTE.format("day")))
    nursery.start_soon(made.run, s.store)
    await until(lambda: s.reads == 2)
    deliver(s.folder / "clawgw.db", whole("r", NOW_MS, [attempt(pico=300_000)], route="fast"))
    await until(lambda: s.used() == 300)
    s.spend(1)
    made.ask()
    await until(lambda: s.used() == 301)
    nursery.cancel_scope.cancel()


async def test_many_who_ask_are_one(s: Setting, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeding, "SOON_S", 0.2)
    made = Seeding.of(s.snapshot(ROUTE.format("day")))
    nursery.start_soon(made.run, s.store)
    for _ in range(50):
        made.ask()
    await until(lambda: s.reads == 1)
    for _ in range(50):
        made.ask()
        await trio.lowlevel.checkpoint()
    assert s.reads == 1
    nursery.cancel_scope.cancel()


async def test_the_budgets_of_another_configuration(s: Setting, nursery: trio.Nursery) -> None:
    s.spend(300)
    made = Seeding.of(s.snapshot(""))
    nursery.start_soon(made.run, s.store)
    made.adopt(s.snapshot(ROUTE.format("month")))
    await until(lambda: s.used("month") == 300)
    nursery.cancel_scope.cancel()


async def test_a_log_that_cannot_be_read_stops_nobody(s: Setting, caplog: pytest.LogCaptureFixture) -> None:
    (s.folder / "clawgw.db").write_bytes(b"no database" * 100)
    made = Seeding.of(s.snapshot(ROUTE.format("day")))
    await made.begin(s.store, made.budgets)
    assert caplog.messages == ["budgets: what was spent before cannot be read: file is not a database"]
    assert s.used() == 0


async def test_what_takes_long_is_not_waited_for_and_comes_all_the_same(
    s: Setting, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "clawgw")
    go = threading.Event()
    s.spend(300)

    def slowly(*asked: Any) -> Spending:
        go.wait(20)
        return spending(*asked)

    monkeypatch.setattr(seeding, "spending", slowly)
    monkeypatch.setattr(seeding, "PATIENCE_S", 0.01)
    made = Seeding.of(s.snapshot(ROUTE.format("day")))
    await made.begin(s.store, made.budgets)
    assert "until that is known, they count from 0" in caplog.text
    go.set()
    nursery.start_soon(made.run, s.store)
    await until(lambda: s.used() == 300)
    nursery.cancel_scope.cancel()


async def test_a_keeper_is_ready_when_its_budgets_are(s: Setting, nursery: trio.Nursery) -> None:
    s.spend(300)
    keeper = LimitKeeper(s.store, s.snapshot("").settings.limits, Seeding.of(s.snapshot(ROUTE.format("day"))))
    await nursery.start(keeper.run)
    assert s.used() == 300
    await keeper.expect(s.snapshot(ROUTE.format("month")))
    assert s.used("month") == 300
    nursery.cancel_scope.cancel()
