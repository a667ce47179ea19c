"""What the gateway itself costs a plain request: everything between its doors and its upstreams, and neither of these.

    python -m benchmarks.request [REQUESTS] [--profile ROW]

Each request is known by its key, read and checked, limited, planned, answered by an upstream that is there at once,
settled, billed and written down. From row to row one thing is added. Printed is the CPU time of a request in µs,
batches of all rows taking turns; with `--profile`, where one row's time goes.
"""

import cProfile
import math
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from hashlib import sha256
from pathlib import Path
from typing import cast

import trio
from attrs import define, frozen

from clawgw.config.load import load
from clawgw.engine.arrival import Arrival
from clawgw.engine.upstream import Call, Head
from clawgw.gateway import Gateway, PlainAnswer
from clawgw.ledger.record import Unwritten
from clawgw.policies.load import load_policies
from clawgw.serve.limiting import LimitKeeper
from clawgw.serve.recording import Recording
from clawgw.serve.wiring import open_service
from clawgw.web.auth import authenticate
from clawgw.web.head import Headers
from clawgw.wire.checks.parse import parse_chat_request

POLICIES = Path("policies").absolute()
BATCH = 200
LIMIT_S = 120
KEY = "sk-clawgw-benchmark"
HEADERS = ((b"host", b"localhost"), (b"authorization", f"Bearer {KEY}".encode()), (b"user-agent", b"benchmark"))
REQUEST = b'{"model": "%s", "messages": [{"role": "user", "content": "' + b"word " * 190 + b'"}]}'
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"gpt-4o-mini-2024-07-18","choices":'
    b'[{"index":0,"message":{"role":"assistant","content":"' + b"word " * 140 + b'","refusal":null},"logprobs":null,'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":197,"completion_tokens":140,"total_tokens":337,'
    b'"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}'
)
CONFIG = """
[log]
spool = "{folder}/spool"
path = "{folder}/clawgw.db"
[providers.openai]
api_keys = ["env:KEY"]
[routes.plain]
targets = ["openai/gpt-4o-mini", "openai/gpt-4o"]
[routes.policed]
targets = ["openai/gpt-4o-mini", "openai/gpt-4o"]
policy = "canary:route"
options = { canary = "openai/gpt-4o", share = 0.0 }
[policies]
path = "{policies}"
[[keys]]
name = "benchmark"
sha256 = "{sha256}"
"""
LIMITS = "limits = { requests_per_minute = 100000000, tokens_per_minute = 10000000000, concurrent = 1000 }\n"


@frozen
class Row:
    """What is measured: a route, with limits or without, written down or not."""

    name: str
    route: str
    limits: bool
    ledger: bool


ROWS = (
    Row("a key", "plain", limits=False, ledger=False),
    Row("+ three limits in memory", "plain", limits=True, ledger=False),
    Row("+ the journal", "plain", limits=True, ledger=True),
    Row("+ a policy", "policed", limits=True, ledger=True),
)


@define
class AtOnce:
    """An exchange whose answer is there at once."""

    resumable: bool = True
    written: bool = False
    ended: bool = False

    async def head(self, until: float = math.inf) -> Head:  # noqa: ARG002 - it takes no time
        """As `Exchange.head`."""
        self.written = True
        return Head(200, {"content-type": "application/json"})

    async def receive(self, until: float = math.inf) -> bytes:  # noqa: ARG002 - it takes no time
        """As `Exchange.receive`."""
        self.ended = True
        return ANSWER

    def abort(self) -> None:
        """Nothing is open."""


class Nearby:
    """An upstream of such exchanges."""

    def open(self, _: Call) -> AtOnce:
        """Begin a call."""
        return AtOnce()

    async def aclose(self) -> None:
        """Nothing is idle."""


@asynccontextmanager
async def opened(row: Row, folder: Path) -> AsyncIterator[Gateway]:
    """A gateway for one row, and nothing that runs beside it."""
    digest = sha256(KEY.encode()).hexdigest()
    names = {"folder": folder / row.name, "policies": POLICIES, "sha256": digest}
    text = CONFIG + LIMITS * row.limits
    for name, value in names.items():
        text = text.replace("{" + name + "}", str(value))
    snapshot = load(text, {"KEY": "sk-upstream"}, read_file=Path.read_bytes)
    recording = Recording.of(snapshot)
    limits = LimitKeeper.of(snapshot, "benchmark", None)
    ledger = recording if row.ledger else Unwritten()
    with closing(recording):
        async with open_service(snapshot, load_policies(snapshot), "benchmark", limits, ledger) as (service, _):
            gateway = cast("Gateway", service.gateway)
            gateway.live.providers["openai"].upstream = Nearby()
            yield gateway


async def serve(gateway: Gateway, body: bytes, number: int) -> None:
    """One request, as a door has it."""
    live = gateway.live
    caller = authenticate(Headers(HEADERS), live.snapshot.callers)
    arrival = Arrival(f"req_{number}", None, trio.current_time(), time.time(), live, caller, HEADERS)
    with live:
        answer = await gateway.answer(parse_chat_request(body), arrival)
    assert isinstance(answer, PlainAnswer)  # noqa: S101  # it was not asked to be a stream


async def batch(gateway: Gateway, row: Row) -> float:
    """CPU seconds a request."""
    body = REQUEST % row.route.encode()
    started = time.process_time()
    for number in range(BATCH):
        await serve(gateway, body, number)
    return (time.process_time() - started) / BATCH


async def measure(count: int, profiled: int | None) -> None:
    """Print a line for each row."""
    with tempfile.TemporaryDirectory() as folder, trio.fail_after(LIMIT_S):
        async with AsyncExitStack() as stack:
            gateways = [await stack.enter_async_context(opened(row, Path(folder))) for row in ROWS]
            costs: dict[Row, list[float]] = {row: [] for row in ROWS}
            for turn in range(count // BATCH + 1):
                for row, gateway in zip(ROWS, gateways, strict=True):
                    cost = await batch(gateway, row)
                    if turn:  # the first warms up
                        costs[row].append(cost)
            for row in ROWS:
                median, best = statistics.median(costs[row]) * 1e6, min(costs[row]) * 1e6
                print(f"{row.name:<30}{median:6.0f} µs, {best:.0f} at best")
            if profiled is not None:
                await profile(gateways[profiled], ROWS[profiled])


async def profile(gateway: Gateway, row: Row) -> None:
    """Where the time goes, by each function's own time."""
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(10):
        await batch(gateway, row)
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(60)


def main() -> None:
    """Measure, and profile if asked to."""
    arguments = sys.argv[1:]
    profiled = int(arguments.pop()) - 1 if "--profile" in arguments else None
    trio.run(measure, int(arguments[0]) if arguments and arguments[0].isdigit() else 4000, profiled)


if __name__ == "__main__":
    main()
