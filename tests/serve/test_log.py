"""The log of a running gateway: real processes that are killed without a warning."""

import fcntl
import json
import os
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path

import trio
from attrs import define, field

from clawgw.ledger.journal.spool import Spool
from tests.ledger.records import outcomes, rows
from tests.ledger.small_disk import small_disk
from tests.serve.gateway import CHAT, SLOW_ECHO, Process, Starter, begin_stream
from tests.waiting import until
from tests.web.serving import Answer

ROUNDS = int(os.environ.get("CLAWGW_KILLS", "3"))
MOST_S = 10.0
"""For one of them, on a busy machine."""
FAST_ECHO = '[providers.slow]\nwire = "echo"\ntokens_per_second = 2000\n'


@define
class Load:
    """Clients that ask until the gateway is gone; the ids of their whole answers."""

    gateway: Process
    plain: list[str] = field(factory=list)
    streamed: list[str] = field(factory=list)

    async def ask(self) -> None:
        with suppress(Exception):  # whatever happens to a client whose gateway is killed
            client = await self.gateway.connect()
            async with client.stream:
                while True:
                    answer = await client.post(json.dumps(CHAT).encode())
                    assert answer.status == 200
                    self.plain.append(answer.headers["x-request-id"])

    async def stream(self) -> None:
        with suppress(Exception):  # as above
            while True:
                client = await self.gateway.connect()
                async with client.stream:
                    await client.send_post(json.dumps(CHAT | {"stream": True}).encode())
                    _, headers = await client.read_head()
                    async for chunk in client.chunks():
                        if chunk.endswith(b"data: [DONE]\n\n"):
                            self.streamed.append(headers["x-request-id"])

    async def enough(self, number: int) -> None:
        while min(len(self.plain), len(self.streamed)) < number:  # noqa: ASYNC110 - clients set no event
            await trio.sleep(0.005)


async def stop(gateway: Process, spool: Path) -> None:
    """Stop it, when all is at work that has a few seconds to finish then; all records have reached the database."""
    await until(lambda: is_drained(spool))
    gateway.process.terminate()
    assert await gateway.wait() == 0
    assert [*Spool(spool).writers()] == []


def is_drained(spool: Path) -> bool:
    """Whether a process has this spool's records for itself, to store them."""
    with suppress(FileNotFoundError), (spool / "drain.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


async def stopped(gateway: Process) -> dict[str, str]:
    """Stop it; what the database says then."""
    await stop(gateway, gateway.folder / "clawgw.spool")
    return outcomes(gateway.folder / "clawgw.db")


async def test_who_has_a_whole_answer_is_in_the_log_whenever_the_gateway_is_killed(start: Starter) -> None:
    answered = list[str]()
    start.nursery.cancel_scope.deadline += MOST_S * ROUNDS
    for number in range(ROUNDS):
        gateway = await start(config=FAST_ECHO)
        await gateway.version()
        load = Load(gateway)
        async with trio.open_nursery() as clients:
            for _ in range(3):
                clients.start_soon(load.ask)
                clients.start_soon(load.stream)
            await load.enough(5 + 7 * number)
            gateway.process.kill()
        answered += load.plain + load.streamed
        await gateway.wait()
    last = await start(config=FAST_ECHO)
    await last.version()
    logged = await stopped(last)
    assert {request_id: logged.get(request_id) for request_id in answered} == dict.fromkeys(answered, "ok")
    assert set(logged.values()) <= {"ok", "unknown", "cancelled"}
    assert len(answered) == len(set(answered))


async def test_what_a_killed_worker_was_at_is_unknown_and_the_rest_is_there(start: Starter) -> None:
    gateway = await start("--workers", "2", config=SLOW_ECHO.format(10))
    client = await gateway.connect()
    async with client.stream:
        await begin_stream(client, words=1_000)
        workers = gateway.children(b"CLAWGW_WORKER=")
        assert len(workers) == 2
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        await gateway.line("another takes its place")
    await gateway.version()
    assert Counter((await stopped(gateway)).values()) == {"unknown": 1}


async def test_a_killed_sink_process_is_replaced_and_loses_nothing(start: Starter) -> None:
    gateway = await start(config=FAST_ECHO)
    await gateway.version()
    load = Load(gateway)
    async with trio.open_nursery() as clients:
        clients.start_soon(load.ask)
        clients.start_soon(load.stream)
        await load.enough(5)
        (sinks,) = gateway.children(b"CLAWGW_SINKS=")
        os.kill(sinks, signal.SIGKILL)
        await gateway.line(r"stores records ended \(exit code -9\); another takes its place")
        clients.cancel_scope.cancel()
    logged = await stopped(gateway)
    answered = load.plain + load.streamed
    assert {request_id: logged.get(request_id) for request_id in answered} == dict.fromkeys(answered, "ok")


async def test_a_full_spool_refuses_before_anybody_is_asked(start: Starter) -> None:
    gateway = await start(config="[log]\nmax_spool_bytes = 1000\n" + FAST_ECHO)
    client = await gateway.connect()
    async with client.stream:
        answer = await client.post(json.dumps(CHAT).encode())
        assert (answer.status, answer.json["error"]["code"]) == (503, "log_spool_full")
        metrics = (await client.get("/metrics")).body.decode().splitlines()
    assert "clawgw_log_dropped_total 0.0" in metrics
    assert not [line for line in metrics if line.startswith("clawgw_attempts_total{")]
    await stop(gateway, gateway.folder / "clawgw.spool")


async def test_a_full_disk_refuses_loses_nothing_and_recovers(start: Starter, tmp_path: Path) -> None:
    spool = tmp_path / "small" / "clawgw.spool"
    spool.parent.mkdir()
    with small_disk(spool.parent, "3m"):
        gateway = await start(config=f'[log]\nspool = "{spool}"\nmax_spool_bytes = 1000000000\n{FAST_ECHO}')
        client = await gateway.connect()
        answered = list[str]()

        async def ask() -> Answer:
            answer = await client.post(json.dumps(CHAT).encode())
            if answer.status == 200:
                answered.append(answer.headers["x-request-id"])
            return answer

        async with client.stream:
            filler = spool.parent / "filler"
            with suppress(OSError), filler.open("wb", buffering=0) as file:
                while file.write(bytes(4096)) == 4096:
                    pass
            refused = await ask()
            assert (refused.status, refused.json["error"]["code"]) == (503, "log_spool_full")
            metrics = (await client.get("/metrics")).body.decode().splitlines()
            assert not [line for line in metrics if line.startswith("clawgw_attempts_total{")]
            filler.unlink()
            while (await ask()).status != 200:  # noqa: ASYNC110 - a spool that was full is not looked at for a moment
                await trio.sleep(0.05)
            for _ in range(20):
                await ask()
        await stop(gateway, spool)
    assert outcomes(tmp_path / "clawgw.db") == dict.fromkeys(answered, "ok")


async def test_always_means_before_the_answer(start: Starter) -> None:
    gateway = await start(config='[log]\nfsync = "always"\n' + FAST_ECHO)
    await gateway.version()
    load = Load(gateway)
    async with trio.open_nursery() as clients:
        clients.start_soon(load.ask)
        clients.start_soon(load.stream)
        await load.enough(3)
        clients.cancel_scope.cancel()
    assert set((await stopped(gateway)).values()) <= {"ok", "cancelled"}


async def test_what_the_caller_says_of_itself_is_in_the_record(start: Starter) -> None:
    gateway = await start(config=FAST_ECHO)
    client = await gateway.connect()
    async with client.stream:
        await client.post(json.dumps(CHAT | {"user": "u1", "metadata": {"job": "7"}}).encode())
    await stopped(gateway)
    assert rows(gateway.folder / "clawgw.db", "SELECT user, metadata FROM requests") == [("u1", '{"job":"7"}')]


async def test_what_is_refused_for_what_it_says_is_there_as_well(start: Starter) -> None:
    gateway = await start()
    client = await gateway.connect()
    async with client.stream:
        refused = await client.post(json.dumps(CHAT | {"temperature": 9}).encode())
        assert refused.status == 400
        record = (await client.get(f"/v1/requests/{refused.headers['x-request-id']}")).json
    assert (record["outcome"], record["status"], record["attempts"]) == ("error", 400, [])
