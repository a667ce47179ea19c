"""Waiting for what no event tells: what another process does, or a thread."""

import time
from collections.abc import Callable

import trio

PATIENCE_S = 60.0
"""When it is given up, on any machine."""
_LOOK_EVERY_S = 0.005


async def until(holds: Callable[[], bool]) -> None:
    """Returns when it holds."""
    with trio.fail_after(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - as said
            await trio.sleep(_LOOK_EVERY_S)


def until_sync(holds: Callable[[], bool]) -> None:
    """As `until`, outside Trio."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(_LOOK_EVERY_S)
