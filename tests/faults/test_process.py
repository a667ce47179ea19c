"""Rows of the table of faults against `clawgw serve` as it is, with its defaults, in a process of its own."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trio

from clawgw.serve.presence import find
from tests.e2e.gateway_process import running_gateway
from tests.fake_upstream import Close, FakeUpstream, Stall, start_fake_upstream
from tests.faults.answers import ROLE, TEXT, always, begun, error, good, says
from tests.faults.setting import EXPLICIT_S, GONE_S, SILENCE_S, chat, text_of
from tests.given_time import within
from tests.net.test_connecting import black_hole, refusing_port
from tests.waiting import PATIENCE_S
from tests.web.serving import Client

_PROVIDER = """
[providers.{name}]
wire = "openai"
base_url = "{url}/v1"
api_keys = ["env:KEY"]
allow_private_network = true
"""


@contextmanager
def gateway(folder: Path, urls: Mapping[str, str], routes: Mapping[str, list[str]]) -> Iterator[str]:
    """The origin of a gateway with these providers, and these routes over some of them."""
    providers = [_PROVIDER.format(name=name, url=url) for name, url in urls.items()]
    listed = [
        f"[routes.{name}]\ntargets = {json.dumps([f'{target}/m' for target in targets])}\n"
        for name, targets in routes.items()
    ]
    with running_gateway(folder, "".join([*providers, *listed]), {"KEY": "sk-secret"}) as origin:
        yield origin


@asynccontextmanager
async def connected(origin: str) -> AsyncIterator[Client]:
    async with await trio.open_tcp_stream("127.0.0.1", urlsplit(origin).port or 0) as stream:
        yield Client(stream)


async def metrics(origin: str) -> str:
    async with connected(origin) as client:
        return (await client.get("/metrics")).body.decode()


async def test_failover_in_time(nursery: trio.Nursery, tmp_path: Path) -> None:
    """All rows side by side; each has a good target of its own, whose first connection tells the time."""
    rows = {
        "refusing": (0.0, EXPLICIT_S),
        "closing": (0.0, EXPLICIT_S),
        "broken": (0.0, EXPLICIT_S),
        "busy": (0.0, EXPLICIT_S),
        "black-hole": (1.5, 1.5 + EXPLICIT_S),
        "silent": (4.0, SILENCE_S),
    }
    faults = {
        "closing": always([Close()]),
        "broken": error(500),
        "busy": error(429, retry_after="3600"),
        "silent": always([Stall()]),
    }
    faulty = {name: await start_fake_upstream(nursery, respond) for name, respond in faults.items()}
    others = {f"good-{name}": await start_fake_upstream(nursery, good) for name in rows}
    with black_hole() as port:
        urls = {
            "refusing": f"http://127.0.0.1:{refusing_port()}",
            "black-hole": f"http://127.0.0.1:{port}",
            **{name: fake.base_url for name, fake in (faulty | others).items()},
        }
        with gateway(tmp_path, urls, {f"r-{name}": [name, f"good-{name}"] for name in rows}) as origin:
            process = find(tmp_path)
            assert process is not None
            async with connected(origin) as client:  # a process that counts tokens for the first time takes longer
                assert (await client.post(chat(model="broken/m"))).status == 502
            async with trio.open_nursery() as asking:
                for name, bounds in rows.items():
                    asking.start_soon(_row, origin, process, name, bounds, others[f"good-{name}"])
            with within(GONE_S, process):
                await faulty["silent"].wait_closed(1)
            counted = await metrics(origin)
    for name in rows:
        trigger = "silence" if name == "silent" else "failover"
        assert f'{{outcome="won",target="good-{name}/m",trigger="{trigger}"}} 1.0' in counted


async def _row(origin: str, process: int, name: str, bounds: tuple[float, float], other: FakeUpstream) -> None:
    least_s, most_s = bounds
    async with connected(origin) as client:
        asked_at = trio.current_time()
        with within(most_s, process):
            answer = await client.post(chat(model=f"r-{name}", stream=name == "silent"))
    assert (answer.status, text_of(answer)) == (200, TEXT)
    assert other.accepted_at[0] - asked_at >= least_s


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
async def test_who_leaves_is_a_499(nursery: trio.Nursery, tmp_path: Path, *, stream: bool) -> None:
    endless = always([*(begun(ROLE, says("hi")) if stream else []), Stall()])
    fake = await start_fake_upstream(nursery, endless)
    with gateway(tmp_path, {"t": fake.base_url}, {}) as origin:
        async with connected(origin) as client:
            await client.send_post(chat(model="t/m", stream=stream))
            await fake.wait_requests(1)
            if stream:
                await client.read_head()
        with within(GONE_S):
            await fake.wait_closed(1)
        assert 'model="other",provider="t",route="",status="499"} 1.0' in await metrics(origin)


async def test_bare_line_feeds_are_refused(nursery: trio.Nursery, tmp_path: Path) -> None:
    fake = await start_fake_upstream(nursery, good)
    with gateway(tmp_path, {"t": fake.base_url}, {}) as origin, trio.fail_after(PATIENCE_S):
        async with connected(origin) as client:
            await client.send(b"POST /v1/chat/completions HTTP/1.1\nhost: t\ncontent-length: 0\n\n")
            assert (await client.read_answer()).status == 400
            assert await client.read_to_end() == b""
    assert not fake.requests
