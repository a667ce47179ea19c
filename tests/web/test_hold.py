"""Keeping a client's connection alive, over an exchange that is slow to take what it is sent."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

import pytest
import trio
from attrs import define, field
from trio.testing import MockClock

from clawgw.web.hold import HeaderHold

if TYPE_CHECKING:
    from clawgw.web.exchange import Exchange


@define(eq=False)
class Client:
    """Takes every send after so many seconds. `sends` tells when each was whole, None: it was cut."""

    takes_s: float
    nursery: trio.Nursery
    sends: list[tuple[str, float | None]] = field(factory=list)
    began: float = field(factory=trio.current_time)

    def call_later(self, after_s: float, call: Callable[[], None]) -> Callable[[], None]:
        scope = trio.CancelScope()

        async def wait() -> None:
            with scope:
                await trio.sleep(after_s)
                call()

        self.nursery.start_soon(wait)
        return scope.cancel

    def start_soon(self, work: Callable[[], Awaitable[None]]) -> None:
        self.nursery.start_soon(work)

    def leave(self) -> None:
        self.nursery.cancel_scope.cancel()

    async def start(self, status: int, headers: object) -> None:
        await self._take(str(status))

    async def write(self, data: bytes) -> None:
        await self._take(data.decode().strip())

    async def _take(self, what: str) -> None:
        self.sends.append((what, None))
        await trio.sleep(self.takes_s)
        self.sends[-1] = (what, trio.current_time() - self.began)


async def hold(takes_s: float, winner_after: float) -> tuple[Client, bool]:
    """The client, and whether it was still there when the winner came."""
    async with trio.open_nursery() as nursery:
        client = Client(takes_s, nursery)
        held = HeaderHold(cast("Exchange", client))
        held.begin(15.0)
        await trio.sleep(winner_after)
        await held.end()
        return client, True
    return client, False


@pytest.mark.parametrize(
    ("winner_after", "sends"),
    [
        (14.9, []),
        (15.1, [("200", 15.5), (": keepalive", 16.0)]),
        (16.2, [("200", 15.5), (": keepalive", 16.0)]),
        (21.2, [("200", 15.5), (": keepalive", 16.0), (": keepalive", 21.5)]),
    ],
)
async def test_the_head_and_comments_go_out_whole_until_there_is_a_winner(
    autojump_clock: MockClock, winner_after: float, sends: list[tuple[str, float | None]]
) -> None:
    client, there = await hold(0.5, winner_after)
    assert there
    assert client.sends == sends


@pytest.mark.parametrize("winner_after", [16.0, 60.0])
async def test_a_client_that_takes_nothing_has_left(autojump_clock: MockClock, winner_after: float) -> None:
    client, there = await hold(1e9, winner_after)
    assert not there
    assert trio.current_time() - client.began == 25.0
    assert client.sends == [("200", None)]
