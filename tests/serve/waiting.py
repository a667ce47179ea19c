"""Waiting for what another process does."""

from collections.abc import Callable

import trio


async def until(holds: Callable[[], bool]) -> None:
    """Returns when it holds. The test has a deadline."""
    while not holds():  # noqa: ASYNC110 - no event of this process tells it
        await trio.sleep(0.01)
