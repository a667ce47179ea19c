"""A whole gateway between a client that sees every byte and upstreams that fail on purpose, all over real sockets."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import trio
from attrs import define, field

from clawgw.config.load import load
from clawgw.config.snapshot import Snapshot
from clawgw.ledger.record import Listener, RequestRecord, Unwritten
from clawgw.policies.load import load_policies
from clawgw.serve.limiting import LimitKeeper
from clawgw.serve.wiring import open_service
from clawgw.tokens.vocabulary import count_text
from clawgw.web.service import Service
from tests.fake_upstream import FakeUpstream, Respond, start_fake_upstream
from tests.web.serving import Answer, Client, Serving, serve

EXPLICIT_S = 0.1
"""A failure that was said is followed by the next attempt within this time."""
SILENCE_S = 5.0
"""So is silence."""
GONE_S = 1.0
"""What nobody wants any more is closed within this time."""
PATIENCE_S = 20.0

Target = Respond | str
"""How a target behaves, or its base URL where nothing of ours listens."""

_PROVIDER = """
[providers.{name}]
wire = "{wire}"
base_url = "{base_url}/v1"
api_keys = {keys}
allow_private_network = true
timeouts = {timeouts}
"""


@define
class Ear:
    """Keeps the records, and passes them on to whoever listened before."""

    before: Listener
    records: list[RequestRecord] = field(factory=list)
    lot: trio.lowlevel.ParkingLot = field(factory=trio.lowlevel.ParkingLot)

    def request_started(self, endpoint: str) -> None:
        self.before.request_started(endpoint)

    def request_ended(self, record: RequestRecord) -> None:
        self.before.request_ended(record)
        self.records.append(record)
        self.lot.unpark_all()


@define
class Setting:
    """`fakes` by their provider's name, `t1`, `t2` and so on; those that are only a URL are not in it."""

    serving: Serving
    ear: Ear
    fakes: Mapping[str, FakeUpstream]

    async def ask(self, *, stream: bool = False, **more: Any) -> Answer:
        """The answer to a chat request at the route, on a connection of its own."""
        with trio.fail_after(PATIENCE_S):
            client = await self.serving.connect()
            return await client.post(chat(stream=stream, **more))

    async def begin(self, *, stream: bool) -> Client:
        """A client that has asked and reads for itself."""
        client = await self.serving.connect()
        await client.send_post(chat(stream=stream))
        return client

    async def record(self) -> RequestRecord:
        """The last request's, as soon as it is over."""
        with trio.fail_after(PATIENCE_S):
            while not self.ear.records:
                await self.ear.lot.park()
        return self.ear.records[-1]

    async def attempts(self) -> list[tuple[str, str, str, str | None]]:
        """Of the last request: provider, trigger, outcome and error code of each."""
        record = await self.record()
        return [(a.target.provider, a.trigger, a.outcome, a.error_code) for a in record.attempts]

    def asked(self) -> list[int]:
        """How many requests each fake has seen."""
        return [len(fake.requests) for fake in self.fakes.values()]


def chat(*, stream: bool = False, **more: Any) -> bytes:
    """A request's body; the route is `r` unless `model` says otherwise."""
    body = {"model": "r", "messages": [{"role": "user", "content": "hi"}], **more}
    return json.dumps({**body, "stream": True} if stream else body).encode()


async def start(
    nursery: trio.Nursery,
    targets: Sequence[Target],
    *,
    route: str = "",
    config: str = "",
    timeouts: str = "{}",
    keys: int = 1,
    wire: str = "openai",
    folder: Path = Path(),
) -> Setting:
    """A gateway with one route `r` over `targets`. `route` is more of its table, `config` more of the file.

    It has counted tokens before, which takes a twentieth of a second when a process does it for the first time.
    """
    count_text("", "o200k_base")
    names = [f"t{number}" for number, _ in enumerate(targets, 1)]
    fakes = {
        name: await start_fake_upstream(nursery, target)
        for name, target in zip(names, targets, strict=True)
        if not isinstance(target, str)
    }
    urls = [
        target if isinstance(target, str) else fakes[name].base_url for name, target in zip(names, targets, strict=True)
    ]
    environ = {f"KEY_{number}": f"sk-secret-{number}" for number in range(1, keys + 1)}
    references = json.dumps([f"env:{name}" for name in environ])
    providers = "".join(
        _PROVIDER.format(name=name, wire=wire, base_url=url, keys=references, timeouts=timeouts)
        for name, url in zip(names, urls, strict=True)
    )
    listed = json.dumps([f"{name}/m" for name in names])
    text = f"{providers}\n[routes.r]\ntargets = {listed}\n{route}\n{config}"
    snapshot = load(text, environ, read_file=Path.read_bytes, file=folder / "gateway.toml")
    service = await nursery.start(_open, snapshot)
    ear = service.gateway.listener = Ear(service.gateway.listener)
    return Setting(await serve(nursery, service), ear, fakes)


async def _open(snapshot: Snapshot, task_status: trio.TaskStatus[Service]) -> None:
    policies = await trio.to_thread.run_sync(load_policies, snapshot)
    async with open_service(snapshot, policies, "i1", LimitKeeper.of(snapshot, "i1", None), Unwritten()) as (
        service,
        _,
    ):
        task_status.started(service)
        await trio.sleep_forever()


def seen(answer: Answer) -> tuple[int, str, str | None]:
    """Status, type and code of an error, whose shape is OpenAI's with our request id."""
    error = answer.error
    assert error.keys() == {"message", "type", "param", "code", "request_id"}
    assert error["request_id"] == answer.headers["x-request-id"]
    assert error["message"]
    assert "sk-secret" not in answer.body.decode()
    return answer.status, error["type"], error["code"]


def events(body: bytes) -> list[Any]:
    """The data of a stream's events; `[DONE]` as the text that it is."""
    lines = [line.removeprefix(b"data: ") for line in body.split(b"\n\n") if line]
    return ["[DONE]" if line == b"[DONE]" else json.loads(line) for line in lines]


def text_of(answer: Answer) -> str:
    """What the assistant said, plain or streamed."""
    if answer.headers["content-type"] == "application/json":
        return str(answer.json["choices"][0]["message"]["content"])
    deltas = [each["choices"][0]["delta"] for each in events(answer.body)[:-1] if each["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


both_ways = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
