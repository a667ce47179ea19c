"""What hedging does for the tail: 5 % of the answers take 2 s, the rest 20 ms.

    python -m benchmarks.tail [REQUESTS [REQUESTS_A_SECOND]]

For each strategy a gateway of its own (`clawgw serve`) with two targets, both as slow as each other, over loopback. The
requests come at a steady rate, whether or not the ones before them are answered, so that a slow answer hides nothing.
Of every 100 answers of a target exactly 5 are slow, in an order that is shuffled with a fixed seed. Ends with 1 where
hedging falls short of what it is for: a p99 of a tenth, for 6 % more calls.
"""

import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import trio
from attrs import define, field, frozen

REQUESTS, RATE = 2000, 80.0
QUICK_S, SLOW_S = 0.02, 2.0
BLOCK, SLOW_PER_BLOCK = 100, 5
LIMIT_S = 600
LEAST_GAIN, MOST_EXTRA = 10, 0.06

ROOT = Path(__file__).resolve().parents[1]
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
BODY = json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [CHOICE]}).encode()
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY)
QUESTION = json.dumps({"model": "r", "messages": [{"role": "user", "content": "hi"}]}).encode()
REQUEST = b"POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n%b" % (len(QUESTION), QUESTION)
CONFIG = """
[providers.a]
wire = "openai"
base_url = "http://127.0.0.1:{a}/v1"
allow_private_network = true
[providers.b]
wire = "openai"
base_url = "http://127.0.0.1:{b}/v1"
allow_private_network = true
[routes.r]
targets = ["a/m", "b/m"]
{route}
"""
GOAL = "hedge after 0.1 s"
ROUTES = {
    "failover": 'strategy = "failover"',
    "hedge after p95": 'strategy = "hedge"',
    GOAL: 'strategy = "hedge"\nhedge_after = 0.1',
    "race": 'strategy = "race"',
}


@define
class Target:
    """An upstream that counts its calls."""

    seed: int
    calls: int = 0
    _delays: Iterator[float] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._delays = delays(random.Random(self.seed))  # noqa: S311 - no secret

    async def serve(self, stream: trio.SocketStream) -> None:
        """Answer on one connection until the peer leaves."""
        with suppress(trio.BrokenResourceError):
            async with stream:
                while await read_message(stream):
                    self.calls += 1
                    await trio.sleep(next(self._delays))
                    await stream.send_all(ANSWER)


@define
class Client:
    """Asks the gateway at a port, over connections that it keeps."""

    port: int
    milliseconds: list[float] = field(factory=list)
    """What the answers took."""
    _idle: list[trio.SocketStream] = field(factory=list)

    async def ask(self) -> None:
        """Send one request and wait for its answer."""
        asked = trio.current_time()
        stream = await self._connection()
        await stream.send_all(REQUEST)
        answer = await read_message(stream)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer.decode())
        self.milliseconds.append((trio.current_time() - asked) * 1000)
        self._idle.append(stream)

    async def _connection(self) -> trio.SocketStream:
        while self._idle:
            stream = self._idle.pop()
            if not stream.socket.is_readable():
                return stream
            await stream.aclose()  # the gateway has closed it
        return await trio.open_tcp_stream("127.0.0.1", self.port)

    async def aclose(self) -> None:
        """Close what is idle."""
        for stream in self._idle:
            await stream.aclose()


async def read_message(stream: trio.SocketStream) -> bytes:
    """A request or an answer with its whole body; b"" where the peer has left."""
    data = b""
    while not _is_whole(data):
        piece = await stream.receive_some()
        if not piece:
            return b""
        data += piece
    return data


def _is_whole(message: bytes) -> bool:
    head, end, body = message.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
    return bool(end) and length is not None and len(body) >= int(length[1])


def delays(dice: random.Random) -> Iterator[float]:
    """Seconds for one answer after the other."""
    block = [SLOW_S] * SLOW_PER_BLOCK + [QUICK_S] * (BLOCK - SLOW_PER_BLOCK)
    while True:
        dice.shuffle(block)
        yield from block


@asynccontextmanager
async def gateway(folder: Path, config: str) -> AsyncIterator[int]:
    """The port of a gateway that serves `config`."""
    file = folder / "gateway.toml"
    await trio.Path(file).write_text(config)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "clawgw", "serve", "--config", str(file), "--bind", "127.0.0.1:0"]
    process = await trio.lowlevel.open_process(command, cwd=folder, env=environment, stderr=subprocess.PIPE)
    try:
        yield await _port(process)
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


async def _port(process: trio.Process) -> int:
    said = b""
    assert process.stderr is not None  # noqa: S101 - it is a pipe
    async for piece in process.stderr:
        said += piece
        if match := re.search(rb"listening on http://127\.0\.0\.1:(\d+)", said):
            return int(match[1])
    raise RuntimeError(said.decode())


@frozen
class Measured:
    """One strategy's figures: milliseconds, and calls beyond one a request as a share of the requests."""

    milliseconds: Sequence[float]
    extra: float

    def percentile(self, q: float) -> float:
        """The smallest value that is at least as large as the share `q` of all."""
        return self.milliseconds[math.ceil(q * len(self.milliseconds)) - 1]

    def row(self, name: str) -> str:
        """A line of the table."""
        figures = " | ".join(f"{self.percentile(q):.0f}" for q in (0.5, 0.95, 0.99, 0.999))
        return f"| {name} | {figures} | {self.extra:.1%} |"


async def measure(route: str, count: int, rate: float) -> Measured:
    """Send `count` requests, `rate` a second."""
    targets = Target(1), Target(2)
    async with trio.open_nursery() as serving:
        ports = [await _listen(serving, target) for target in targets]
        config = CONFIG.format(a=ports[0], b=ports[1], route=route)
        with tempfile.TemporaryDirectory() as folder:
            async with gateway(Path(folder), config) as port:
                client = Client(port)
                start = trio.current_time()
                async with trio.open_nursery() as asking:
                    for number in range(count):
                        await trio.sleep_until(start + number / rate)
                        asking.start_soon(client.ask)
                await client.aclose()
        serving.cancel_scope.cancel()
    return Measured(sorted(client.milliseconds), sum(target.calls for target in targets) / count - 1)


async def _listen(nursery: trio.Nursery, target: Target) -> int:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, target.serve, [listener])
    return int(listener.socket.getsockname()[1])


async def compare(count: int, rate: float) -> int:
    """Print the table; the exit code."""
    print(f"{count} requests each, {rate:g} a second\n")
    print("| strategy | p50 ms | p95 ms | p99 ms | p99.9 ms | extra calls |\n| --- | --- | --- | --- | --- | --- |")
    figures = dict[str, Measured]()
    with trio.fail_after(LIMIT_S):
        for name, route in ROUTES.items():
            figures[name] = await measure(route, count, rate)
            print(figures[name].row(name), flush=True)
    gain = figures["failover"].percentile(0.99) / figures[GOAL].percentile(0.99)
    print(f"\n{GOAL}: a p99 {gain:.1f} times as short, for {figures[GOAL].extra:.1%} more calls")
    return 0 if gain >= LEAST_GAIN and figures[GOAL].extra <= MOST_EXTRA else 1


if __name__ == "__main__":
    given = [*map(float, sys.argv[1:]), *(REQUESTS, RATE)[len(sys.argv) - 1 :]]
    raise SystemExit(trio.run(compare, int(given[0]), given[1]))
