"""Reloads of a running gateway: real processes, real sockets, requests that never stop."""

import json
import os
import signal
from pathlib import Path

import pytest
import trio
from attrs import define, field

from clawgw.ledger.journal.spool import Spool
from tests.serve.gateway import CHAT, Process, Starter, begin_stream
from tests.web.serving import Client

CONFIG = """
[providers.slow]
wire = "echo"
tokens_per_second = {pace}
[routes.chosen]
targets = ["slow/echo"]
policy = "order:route"
"""
POLICY = """
from clawgw.policy import in_turn
print("imported")
def route(request, targets, options):
    print("called")
    return in_turn(targets)
"""
POLICY_FILE = "policies/order.py"
BAD = """
[server]
workerz = 1
[routes.chosen]
targets = ["nobody/echo"]
[defaults]
temperature = "hot"
"""
MISTAKES = [
    "server.workerz: unknown key, did you mean workers?",
    "defaults.temperature: must be a number, not a string",
    "routes.chosen.targets[0]: no provider is named nobody",
]

both = pytest.mark.parametrize("workers", ["1", "2"])


@pytest.fixture
def policy(tmp_path: Path) -> None:
    file = tmp_path / POLICY_FILE
    file.parent.mkdir()
    file.write_text(POLICY)


@define
class Load:
    """Clients that ask without a pause until told to stop; `versions` of their answers in the order of their ends."""

    gateway: Process
    versions: list[str] = field(factory=list)
    over: bool = False

    async def plain(self) -> None:
        client = await self.gateway.connect()
        async with client.stream:
            while not self.over:
                answer = await client.post(json.dumps(CHAT | {"model": "chosen"}).encode())
                assert answer.status == 200, answer
                assert answer.json["choices"][0]["finish_reason"] == "stop"
                self.versions.append(answer.headers["x-clawgw-config"])

    async def streamed(self) -> None:
        while not self.over:
            client = await self.gateway.connect()
            async with client.stream:
                await client.send_post(json.dumps(CHAT | {"model": "chosen", "stream": True}).encode())
                status, headers = await client.read_head()
                assert status == 200
                events = b"".join([chunk async for chunk in client.chunks()])
                assert events.endswith(b"data: [DONE]\n\n")
                self.versions.append(headers["x-clawgw-config"])

    async def more(self, number: int) -> None:
        """Wait for so many more answers."""
        enough = len(self.versions) + number
        while len(self.versions) < enough:  # noqa: ASYNC110 - each client would need an event of its own
            await trio.sleep(0.01)


async def versions_now(gateway: Process, number: int = 12) -> set[str]:
    """What so many new connections are told."""
    return {await gateway.version() for _ in range(number)}


@both
async def test_under_load_from_good_to_bad_to_good(start: Starter, policy: None, workers: str) -> None:
    gateway = await start("--workers", workers, config=CONFIG.format(pace=200))
    old = await gateway.version()
    load = Load(gateway)
    async with trio.open_nursery() as clients:
        for _ in range(2):
            clients.start_soon(load.plain)
            clients.start_soon(load.streamed)
        await load.more(20)
        gateway.write("gateway.toml", BAD)
        code, lines = await gateway.reload()
        assert code == 1
        assert lines[:-1] == MISTAKES
        assert lines[-1] == f"configuration {old} goes on being served"
        assert await versions_now(gateway) == {old}
        await load.more(20)
        assert set(load.versions) == {old}
        gateway.write("gateway.toml", CONFIG.format(pace=201))
        gateway.write(POLICY_FILE, POLICY + "# changed\n")
        code, lines = await gateway.reload()
        new = await gateway.version()
        assert (code, lines) == (0, [f"configuration {new} is served"])
        assert await versions_now(gateway) == {new} != {old}
        await load.more(20)
        load.over = True
    assert set(load.versions) == {old, new}
    gateway.process.terminate()
    assert await gateway.wait() == 0
    assert [line for line in gateway.lines if "Traceback" in line] == []
    (at,) = [number for number, line in enumerate(gateway.lines) if "reload failed" in line]
    assert gateway.lines[at + 1 : at + 1 + len(MISTAKES)] == MISTAKES


@both
async def test_a_stream_that_began_before_keeps_its_version(start: Starter, workers: str) -> None:
    gateway = await start("--workers", workers, config=CONFIG.replace("policy", "# policy").format(pace=10))
    old = await gateway.version()
    client = await gateway.connect()
    async with client.stream:
        await client.send_post(json.dumps(CHAT | {"stream": True}).encode())
        _, headers = await client.read_head()
        gateway.write("gateway.toml", "")
        assert (await gateway.reload())[0] == 0
        assert await versions_now(gateway) != {old}
        events = [chunk async for chunk in client.chunks()]
    assert headers["x-clawgw-config"] == old
    assert events[-1].endswith(b"data: [DONE]\n\n")


@both
async def test_sighup_and_what_the_metrics_say(start: Starter, workers: str) -> None:
    gateway = await start("--workers", workers)
    await gateway.version()
    gateway.write("gateway.toml", "[server]\nworkers = 7\nmax_body_bytes = 1000")
    gateway.process.send_signal(signal.SIGHUP)
    new = (await gateway.line("reloaded: configuration ([0-9a-f]{12}), before it"))[1]
    gateway.write("gateway.toml", "[log]\npath = 'elsewhere.db'")
    gateway.process.send_signal(signal.SIGHUP)
    await gateway.line("^log.path: needs a restart$")
    async with (await gateway.connect()).stream as stream:
        answer = await Client(stream).get("/metrics")
    lines = answer.body.decode().splitlines()
    assert f'clawgw_config_info{{version="{new}"}} 1.0' in lines
    assert 'clawgw_reloads_total{result="ok"} 1.0' in lines
    assert 'clawgw_reloads_total{result="failed"} 1.0' in lines


@both
async def test_watching(start: Starter, policy: None, workers: str) -> None:
    gateway = await start("--watch", "--workers", workers, config=CONFIG.format(pace=200))
    old = await gateway.version()
    gateway.write(POLICY_FILE, f"{POLICY}\nraise ValueError")
    await gateway.line(f"changed: {POLICY_FILE}")
    await gateway.line("reload failed, configuration .* goes on")
    gateway.write(POLICY_FILE, f"{POLICY}\n# good again")
    new = (await gateway.line(f"reloaded: configuration ([0-9a-f]+), before it {old}"))[1]
    assert new != old
    assert await versions_now(gateway) == {new}


async def test_workers_that_died_are_replaced_by_some_that_serve_the_new_version(start: Starter, policy: None) -> None:
    gateway = await start("--workers", "2", config=CONFIG.format(pace=200))
    await gateway.version()
    gateway.write("gateway.toml", CONFIG.format(pace=201))
    assert (await gateway.reload())[0] == 0
    new = await gateway.version()
    gateway.write("gateway.toml", BAD)
    assert (await gateway.reload())[0] == 1
    workers = gateway.children(b"CLAWGW_WORKER=")
    assert len(workers) == 2
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
        await gateway.line(rf"\(process {worker}\) ended \(exit code -9\); another takes its place")
    assert await versions_now(gateway) == {new}
    async with (await gateway.connect()).stream as stream:
        metrics = (await Client(stream).get("/metrics")).body.decode()
    assert 'clawgw_reloads_total{result="failed"} 1.0' in metrics.splitlines()
    gateway.process.terminate()
    assert await gateway.wait() == 0


async def test_two_gateways_beside_the_same_log(start: Starter) -> None:
    first = await start()
    await first.version()
    second = await start()
    await second.line("belongs to another running gateway; `clawgw reload` will find that one")
    assert (await second.reload())[0] == 0
    await first.line("reloaded: configuration")
    second.process.terminate()
    assert await second.wait() == 0
    assert not any("reloaded" in line for line in second.lines)
    assert (await first.reload())[0] == 0


async def test_a_gateway_that_was_killed_is_not_looked_for(start: Starter) -> None:
    gateway = await start()
    await gateway.version()
    gateway.process.kill()
    await gateway.wait()
    assert gateway.folder.joinpath("clawgw.pid").read_text() == f"{gateway.process.pid}\n"
    assert await gateway.reload() == (
        2,
        ["no gateway is running with this configuration (clawgw.pid names none)"],
    )
    another = await start()
    await another.version()
    assert (await another.reload())[0] == 0


async def test_after_a_stop_nothing_is_left_behind(start: Starter) -> None:
    gateway = await start()
    await gateway.version()
    async with (await gateway.connect()).stream as stream:
        await begin_stream(Client(stream), model="echo")
    gateway.process.terminate()
    assert await gateway.wait() == 0
    assert {file.name for file in gateway.folder.iterdir()} == {"gateway.toml", "clawgw.db", "clawgw.spool"}
    assert [*Spool(gateway.folder / "clawgw.spool").writers()] == []
