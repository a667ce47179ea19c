"""Every exchange through the running gateway: real sockets, the official client before it, a fake upstream behind it.

Each exchange is a provider of its own in the gateway's configuration, so that no breaker, cool-down or key set aside by
one is felt by the next, and the fake upstream knows by the path which answer to serve.
"""

import json
import random
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import trio
from attrs import define, field, frozen

from tests.e2e.gateway_process import running_gateway
from tests.fake_upstream import FakeUpstream, Received, Send, Step, head, start_fake_upstream
from tests.recordings.client import Got, ask
from tests.recordings.exchange import Exchange
from tests.recordings.expected import Answer, Faults
from tests.recordings.judge import complaints
from tests.recordings.sent import KEY, complaints_about_sent

AT_ONCE = 4
MAX_PIECES = 200
"""The most pieces that an answer is served in, each in a write of its own."""


@frozen
class Result:
    """An exchange and what was wrong with it, over all its replays."""

    exchange: Exchange
    wrong: Sequence[str]


async def replay_all(exchanges: Sequence[Exchange]) -> list[Result]:
    """Every exchange, in order."""
    serving = _Serving()
    limit = trio.CapacityLimiter(AT_ONCE)
    wrong: dict[int, list[str]] = {}
    async with trio.open_nursery() as nursery:
        fake = await start_fake_upstream(nursery, serving.respond)
        with tempfile.TemporaryDirectory() as folder:
            gateway = running_gateway(Path(folder), _config(exchanges, fake), {"REPLAY_KEY": KEY})
            origin = await trio.to_thread.run_sync(gateway.__enter__)
            try:
                async with trio.open_nursery() as replays:
                    for number, exchange in enumerate(exchanges):
                        wrong[number] = []
                        replay = partial(_replay, serving, f"{origin}/v1", number, exchange, wrong[number])
                        replays.start_soon(partial(trio.to_thread.run_sync, replay, limiter=limit))
            finally:
                gateway.__exit__(None, None, None)
        nursery.cancel_scope.cancel()
    return [Result(exchange, wrong[number]) for number, exchange in enumerate(exchanges)]


def _config(exchanges: Iterable[Exchange], fake: FakeUpstream) -> str:
    """One attempt each, and breakers that never open."""
    lines = ["[breaker]", "consecutive_failures = 1000000", "min_requests = 1000000", ""]
    for number, exchange in enumerate(exchanges):
        lines += [
            f"[providers.replay-{number}]",
            f'wire = "{exchange.wire}"',
            f'base_url = "{fake.base_url}/{number}"',
            'api_keys = ["env:REPLAY_KEY"]',
            "allow_private_network = true",
            *(['api = "chat"'] if exchange.wire == "openai" else []),
            f"[routes.route-{number}]",
            f"targets = [{json.dumps(f'replay-{number}/{exchange.model}')}]",
            "max_attempts = 1",
            "",
        ]
    return "\n".join(lines)


def _replay(serving: "_Serving", base_url: str, number: int, exchange: Exchange, wrong: list[str]) -> None:
    for seed, body in enumerate(_bodies(exchange)):
        serving.begin(number, exchange, seed)
        got = ask(base_url, exchange.operation, {**body, "model": f"route-{number}"})
        wrong += [f"run {seed}: {line}" for line in _judge(exchange, got, serving.received.pop(number, None))]


def _judge(exchange: Exchange, got: Got, received: Received | None) -> Iterator[str]:
    yield from complaints(exchange, got)
    if received is not None:
        yield from complaints_about_sent(exchange, got, received)
    elif not isinstance(exchange.expected, Faults):
        yield "the upstream was not asked"


def _bodies(exchange: Exchange) -> Iterator[Mapping[str, Any]]:
    """A stream with usage and without; an answer twice, split in two ways; a failure once."""
    asked = exchange.request
    yield asked
    if exchange.stream and isinstance(exchange.expected, Answer):
        options = asked.get("stream_options") or {}
        yield {**asked, "stream_options": {**options, "include_usage": not options.get("include_usage", False)}}
    elif not isinstance(exchange.expected, Faults):
        yield asked


@define
class _Serving:
    """What the fake upstream is to answer, by the exchange's number, and what it was asked."""

    answers: dict[int, list[Step]] = field(factory=dict)
    received: dict[int, Received] = field(factory=dict)

    def begin(self, number: int, exchange: Exchange, seed: int) -> None:
        pieces = split_awkwardly(exchange.payload, random.Random(seed))  # noqa: S311 - the splits are no secret
        chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
        start = head(exchange.status, [*exchange.headers, ("transfer-encoding", "chunked")])
        self.answers[number] = [Send(start), *map(Send, chunks), Send(b"0\r\n\r\n")]

    def respond(self, received: Received) -> list[Step]:
        number = int(received.path.split("/")[1])
        self.received[number] = received
        return self.answers[number]


def split_awkwardly(data: bytes, dice: random.Random) -> list[bytes]:
    """Single bytes; where that would be too many pieces, cuts at random and inside characters, line ends and events."""
    if len(data) <= MAX_PIECES:
        return [data[at : at + 1] for at in range(len(data))]
    awkward = [at for at in range(1, len(data)) if data[at] & 0xC0 == 0x80 or data[at - 1] in b"\r\n"]
    cuts = set(dice.sample(awkward, min(len(awkward), MAX_PIECES // 2)))
    cuts.update(dice.sample(range(1, len(data)), MAX_PIECES // 2 - 1))
    return [data[start:end] for start, end in pairwise([0, *sorted(cuts), len(data)])]
