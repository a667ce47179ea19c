"""Keeping a client's connection alive, over an exchange that is slow to take what it is sent."""

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
    sends: list[tuple[str, float | None]] = field(factory=list)
    began: float = field(factory=trio.current_time)

    async def start(self, status: int, headers: object) -> None:
        await self._take(str(status))

    async def write(self, data: bytes) -> None:
        await self._take(data.decode().strip())

    async def _take(self, what: str) -> None:
        self.sends.append((what, None))
        await trio.sleep(self.takes_s)
        self.sends[-1] = (what, trio.current_time() - self.began)


async def hold(client: Client, *, winner_after: float) -> bool:
    """Whether there was still a client when the winner came."""
    async with trio.open_nursery() as nursery:
        held = HeaderHold(cast("Exchange", client))
        held.begin(nursery, 15.0)
        await trio.sleep(winner_after)
        await held.end()
        return True
    return False


@pytest.mark.parametrize(
    ("winner_after", "sends"),
    [
        (14.9, []),
        (15.1, [("200", 15.5)]),
        (16.2, [("200", 15.5), (": keepalive", 16.0)]),
        (21.2, [("200", 15.5), (": keepalive", 16.0), (": keepalive", 21.5)]),
    ],
)
async def test_the_head_and_comments_go_out_whole_until_there_is_a_winner(
    autojump_clock: MockClock, winner_after: float, sends: list[tuple[str, float | None]]
) -> None:
    client = Client(takes_s=0.5)
    assert await hold(client, winner_after=winner_after)
    assert client.sends == sends


@pytest.mark.parametrize("winner_after", [16.0, 60.0])
async def test_a_client_that_takes_nothing_has_left(autojump_clock: MockClock, winner_after: float) -> None:
    client = Client(takes_s=1e9)
    assert not await hold(client, winner_after=winner_after)
    assert trio.current_time() - client.began == 25.0
    assert client.sends == [("200", None)]
