"""`clawgw serve` from its start to its stop."""

import json
import os
import signal

import pytest
import trio

from clawgw.config.addresses import Bind
from clawgw.serve.listeners import bound, open_listeners
from tests.serve.gateway import CHAT, SLOW_ECHO, Starter, begin_stream
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
        assert line.endswith(f"cannot listen on {bound(taken)}: Address already in use")


async def test_a_bad_configuration(start: Starter) -> None:
    gateway = await start(config="[server]\nworkerz = 2")
    assert await gateway.wait() == 2
    assert gateway.lines == ["server.workerz: unknown key, did you mean workers?"]
