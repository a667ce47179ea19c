"""`clawgw serve` from its start to its stop."""

import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trio

from clawgw.config.addresses import Bind
from clawgw.serve.listeners import bound, open_listeners
from tests.serve.gateway import CHAT, SLOW_ECHO, Process, Starter, begin_stream
from tests.web.serving import Client


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_first_start(start: Starter, workers: str) -> None:
    gateway = await start("--workers", workers)
    async with (await gateway.connect()).stream as stream:
        client = Client(stream)
        answer = await client.post(json.dumps(CHAT | {"model": "echo"}).encode())
        assert answer.status == 200
        assert answer.json["choices"][0]["message"]["content"]
        version = answer.headers["x-clawgw-config"]
        metrics = (await client.get("/metrics")).body.decode()
    assert 'clawgw_requests_total{endpoint="chat.completions"' in metrics
    assert f'clawgw_config_info{{version="{version}"}} 1.0' in metrics
    gateway.process.terminate()
    assert await gateway.wait() == 0
    assert gateway.lines[0] == f"clawgw 0.1.0, configuration {version}"
    assert "provider echo (echo): ready" in gateway.lines
    assert any(line.startswith("  curl http://127.0.0.1:") for line in gateway.lines)
    assert [line for line in gateway.lines if "Traceback" in line or "ERROR" in line] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_stream_finishes_while_the_gateway_stops(start: Starter, workers: str, number: signal.Signals) -> None:
    gateway = await start("--workers", workers, config=SLOW_ECHO.format(20))
    async with (await gateway.connect()).stream as stream:
        client = Client(stream)
        await begin_stream(client)
        gateway.process.send_signal(number)
        events = [chunk async for chunk in client.chunks()]
    assert events[-1].endswith(b"data: [DONE]\n\n")
    assert await gateway.wait() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_second_signal_stops_now(start: Starter, workers: str) -> None:
    gateway = await start("--workers", workers, config=SLOW_ECHO.format(20))
    async with (await gateway.connect()).stream as stream:
        client = Client(stream)
        await begin_stream(client, words=1_000)
        gateway.process.send_signal(signal.SIGINT)
        await gateway.line("stopping: what is in flight may finish")
        gateway.process.send_signal(signal.SIGINT)
        with trio.fail_after(10):
            assert await gateway.wait() == 0
        assert b"[DONE]" not in await client.read_to_end()


async def test_a_client_that_stops_reading_does_not_hold_up_a_stop(start: Starter) -> None:
    gateway = await start(config="[server]\ndrain_s = 0.1")
    async with (await gateway.connect()).stream as stream:
        client = Client(stream)
        words = "word " * 1_000_000
        await client.send_post(
            json.dumps(
                CHAT | {"model": "echo", "messages": [{"role": "user", "content": words}], "stream": True}
            ).encode()
        )
        await client.read_head()
        gateway.process.terminate()
        with trio.fail_after(20):
            assert await gateway.wait() == 0
    assert gateway.lines[-1].endswith("a second signal stops at once")


async def test_ctrl_c_in_a_terminal_is_one_signal(start: Starter) -> None:
    """It goes to the whole process group; the workers have to go on until their streams are done."""
    gateway = await start("--workers", "2", config=SLOW_ECHO.format(20))
    async with (await gateway.connect()).stream as stream:
        client = Client(stream)
        await begin_stream(client)
        os.killpg(gateway.process.pid, signal.SIGINT)
        events = [chunk async for chunk in client.chunks()]
    assert events[-1].endswith(b"data: [DONE]\n\n")
    assert await gateway.wait() == 0


async def test_workers_do_not_outlive_their_supervisor(start: Starter) -> None:
    gateway = await start("--workers", "2")
    client = await gateway.connect()
    gateway.process.kill()
    with trio.fail_after(10):
        assert await client.read_to_end() == b""
        assert await gateway.wait() == -signal.SIGKILL
    await client.stream.aclose()


async def test_a_port_in_use(start: Starter) -> None:
    (taken,) = open_listeners([Bind("127.0.0.1", 0)])
    with taken:
        gateway = await start(f"--bind={bound(taken)}")
        assert await gateway.wait() == 1
        (line,) = gateway.lines
        assert f"cannot listen on {bound(taken)}: Address already in use; another program listens there" in line


async def test_a_bad_configuration(start: Starter) -> None:
    gateway = await start(config="[server]\nworkerz = 2")
    assert await gateway.wait() == 2
    assert gateway.lines == ["server.workerz: unknown key, did you mean workers?"]


@asynccontextmanager
async def stuck_start(start: Starter, *options: str) -> AsyncIterator[tuple[Process, int]]:
    """A gateway that waits for the rest of a file that it has begun to read, and what to write that to."""
    fifo = start.folder / "keys.env"
    os.mkfifo(fifo)
    gateway = await start("--env-file", fifo.name, *options)
    async with _to_reader(fifo) as pipe:
        yield gateway, pipe


@asynccontextmanager
async def _to_reader(fifo: Path) -> AsyncIterator[int]:
    pipe = -1
    while pipe == -1:
        with suppress(OSError):  # nobody reads yet
            pipe = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        await trio.sleep(0.01)
    try:
        yield pipe
    finally:
        os.close(pipe)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_stop_before_it_serves_it_stops(start: Starter, number: signal.Signals) -> None:
    async with stuck_start(start) as (gateway, _):
        gateway.process.send_signal(number)
        assert await gateway.wait() == 0
    assert gateway.lines == []


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_told_to_reload_before_it_serves_it_reloads_then(start: Starter, workers: str) -> None:
    async with stuck_start(start, "--workers", workers) as (gateway, pipe):
        gateway.process.send_signal(signal.SIGHUP)
        os.write(pipe, b"LLM_MAX_TOKENS=7\n")
    await gateway.line("listening on")
    async with _to_reader(start.folder / "keys.env") as pipe:
        os.write(pipe, b"LLM_MAX_TOKENS=8\n")
    await gateway.line("reloaded: configuration")
    gateway.process.terminate()
    assert await gateway.wait() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_nobody_reads_what_it_says(start: Starter, workers: str) -> None:
    gateway = await start("--workers", workers)
    client = await gateway.connect()
    assert gateway.process.stderr is not None
    await gateway.process.stderr.aclose()
    assert await gateway.reload() == (0, [f"configuration {await gateway.version()} is served"])
    async with client.stream:
        assert (await client.get("/health")).status == 200
    gateway.process.terminate()
    assert await gateway.process.wait() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_place_where_no_log_can_be(start: Starter, workers: str) -> None:
    gateway = await start("--workers", workers, config='[log]\nspool = "gateway.toml"')
    assert await gateway.wait() == 2
    assert gateway.lines == [f"log.spool: {start.folder}/gateway.toml cannot be made: File exists; name another place"]
