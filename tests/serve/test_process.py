"""The process that serves, over real files, with the built-in echo."""

import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trustme
from attrs import define

from clawgw.config.files import Choice
from clawgw.engine.live import Live
from clawgw.ledger.record import Unwritten
from clawgw.limits.bucket import Bucket
from clawgw.serve.limiting import LimitKeeper
from clawgw.serve.process import ServingProcess, load_all
from clawgw.serve.readings import Readings
from clawgw.serve.wiring import open_service
from clawgw.web.exposition import Reloads
from tests.ledger.test_spending import attempt, deliver, whole

GOOD = """
[routes.chosen]
targets = ["echo/echo"]
policy = "order:route"
[defaults]
temperature = {}
"""
POLICY = "from clawgw.policy import in_turn\ndef route(request, targets, options): return in_turn(targets)\n"


@define
class Setting:
    folder: Path
    process: ServingProcess

    @property
    def live(self) -> Live:
        return self.process.service.gateway.live

    async def prepare(self, text: str) -> list[str]:
        (self.folder / "gateway.toml").write_text(text)
        return [*map(str, await self.process.prepare(Readings()))]

    def metrics(self) -> list[str]:
        text, _ = self.process.service.metrics.exposition("")
        return text.decode().splitlines()


@asynccontextmanager
async def serving(folder: Path, text: str = GOOD.format(0.1)) -> AsyncIterator[Setting]:
    (folder / "policies").mkdir()
    (folder / "policies" / "order.py").write_text(POLICY)
    (folder / "gateway.toml").write_text(text)
    choice = Choice(config=str(folder / "gateway.toml"))
    loaded = await trio.to_thread.run_sync(load_all, choice, Readings())
    limits = LimitKeeper.of(loaded.snapshot, "i1", None)
    async with open_service(loaded.snapshot, loaded.policies, "i1", limits, Unwritten()) as (service, foundation):
        yield Setting(folder, ServingProcess(choice, service, foundation, loaded.tls))


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    assert packages() == []


def packages() -> list[str]:
    """The policies that are loaded, by the versions that have loaded them."""
    return [name.split("_")[2] for name in sys.modules if name.startswith("clawgw_policies_") and "." not in name]


async def test_what_was_prepared_is_served_after_the_swap(tmp_path: Path) -> None:
    async with serving(tmp_path) as s:
        old = s.live
        assert await s.prepare(GOOD.format(0.2)) == []
        assert s.live is old
        await s.process.swap(Reloads(ok=1))
        assert s.live.snapshot.settings.defaults.temperature == 0.2
        assert s.live.snapshot.version != old.snapshot.version
        assert packages() == [s.live.snapshot.version]
        assert f'clawgw_config_info{{version="{s.live.snapshot.version}"}} 1.0' in s.metrics()
        assert 'clawgw_reloads_total{result="ok"} 1.0' in s.metrics()


async def test_the_old_policies_are_there_until_the_last_request_with_them_has_ended(tmp_path: Path) -> None:
    async with serving(tmp_path) as s:
        old = s.live
        with old:
            await s.prepare(GOOD.format(0.2))
            await s.process.swap(Reloads(ok=1))
            assert packages() == [old.snapshot.version, s.live.snapshot.version]
        assert packages() == [s.live.snapshot.version]


async def test_what_is_not_wanted_is_forgotten(tmp_path: Path) -> None:
    async with serving(tmp_path) as s:
        old = s.live
        await s.prepare(GOOD.format(0.2))
        await s.process.keep(Reloads(failed=1))
        assert s.live is old
        assert packages() == [old.snapshot.version]
        assert 'clawgw_reloads_total{result="failed"} 1.0' in s.metrics()
        with pytest.raises(RuntimeError, match="nothing was prepared"):
            await s.process.swap(Reloads())


async def test_a_policy_that_cannot_be_loaded(tmp_path: Path) -> None:
    async with serving(tmp_path) as s:
        old = s.live
        (tmp_path / "policies" / "order.py").write_text(POLICY + "1 / 0")
        assert await s.prepare(GOOD.format(0.2)) == [
            "routes.chosen.policy: policies/order.py:3: ZeroDivisionError: division by zero"
        ]
        await s.process.keep(Reloads(failed=1))
        assert s.live is old
        assert packages() == [old.snapshot.version]


async def test_the_same_once_more_is_a_version_of_its_own(tmp_path: Path) -> None:
    async with serving(tmp_path) as s:
        old = s.live
        with old:
            await s.prepare(GOOD.format(0.1))
            await s.process.swap(Reloads(ok=1))
            assert packages() == [old.snapshot.version] * 2
        assert packages() == [old.snapshot.version]


async def test_a_new_budget_begins_with_what_was_spent_before_there_was_one(tmp_path: Path) -> None:
    async with serving(tmp_path) as s:
        now_ms = time.time_ns() // 1_000_000
        record = whole("r", now_ms, [attempt(pico=300_000)], route="chosen")
        deliver(tmp_path / "clawgw.db", record, now_ms=now_ms)
        await s.prepare(GOOD.format(0.1).replace("policy", 'budget = { usd = 1, per = "month" }\npolicy'))
        standing = s.process.foundation.limits.store.peek(Bucket("route", "chosen", "usd", 10**9, "month"))
        assert standing is not None
        assert standing.remaining == 10**9 - 300
        await s.process.swap(Reloads(ok=1))


async def test_a_renewed_certificate_is_taken_over(tmp_path: Path) -> None:
    def renew() -> None:
        issued = trustme.CA().issue_cert("gateway.example")
        issued.private_key_pem.write_to_path(tmp_path / "key.pem")
        issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")

    renew()
    text = f'[server]\ntls_cert = "cert.pem"\ntls_key = "key.pem"\n{GOOD.format(0.1)}'
    async with serving(tmp_path, text) as s:
        listening, current = s.process.tls.listening, s.process.tls.current
        renew()
        assert await s.prepare(text) == []
        assert (s.process.tls.listening, s.process.tls.current) == (listening, current)
        await s.process.swap(Reloads(ok=1))
        assert s.process.tls.listening is listening
        assert s.process.tls.current not in {current, listening}
