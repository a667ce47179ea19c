"""A link in memory, whose peer says what a test says, and whose waits may be cancelled."""

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio
from attrs import define, field

T = TypeVar("T")


@define
class ScriptedLink:
    """A link whose peer says these pieces, whatever it is told. It takes so many bytes, if that is limited."""

    pieces: list[bytes]
    takes: int | None = None
    written: list[bytes] = field(factory=list)
    cuts: int = 0
    sent_bytes: int = 0
    kept: bytes = b""
    interrupts: list[bool] = field(factory=list)
    """Of each wait, whether it is cancelled; what would have come comes the next time."""
    scope: trio.CancelScope | None = None

    def send(self, data: bytes) -> None:
        self.kept += data

    async def flush(self, until: float = math.inf) -> None:
        await trio.lowlevel.checkpoint()
        taken, self.kept = self.kept[: self.takes], b""
        self.sent_bytes += len(taken)
        if self.takes is not None or self.is_cut():
            raise trio.BrokenResourceError
        self.written.append(taken)

    async def receive(self, until: float = math.inf) -> bytes:
        if self.interrupts and self.interrupts.pop() and self.scope is not None:
            self.scope.cancel()
        await trio.lowlevel.checkpoint()
        return self.pieces.pop(0) if self.pieces else b""

    def is_quiet(self) -> bool:
        return not self.pieces

    def cut(self) -> None:
        self.cuts += 1

    def is_cut(self) -> bool:
        return self.cuts > 0


async def again_and_again(link: ScriptedLink, wait: Callable[[], Awaitable[T]]) -> T:
    """Until it is not cancelled by the link."""
    while True:
        with trio.CancelScope() as link.scope:
            return await wait()
