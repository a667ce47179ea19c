"""Stores for tests: patient ones, since a busy machine is no absence, and ones that are as they will be used."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio

from clawgw.limits.bucket import Granted, Verdict, Wanted
from clawgw.limits.memory import MemoryStore
from clawgw.limits.redis.away import WhenDown
from clawgw.limits.redis.scripts import Scripts
from clawgw.limits.redis.store import PATIENCE_S, RedisStore
from clawgw.limits.store import LimitStore
from tests.limits.claims import Claim, together

PATIENT_S = 10.0


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def running(store: RedisStore) -> AsyncIterator[RedisStore]:
    async with trio.open_nursery() as nursery:
        await nursery.start(store.run)
        yield store
        nursery.cancel_scope.cancel()


def patient(url: str, *, forgotten: Callable[[], None] = lambda: None, scripts: Scripts | None = None) -> RedisStore:
    return RedisStore(
        url, "closed", MemoryStore(now_ms), "g", forgotten=forgotten, scripts=scripts, patience_s=PATIENT_S
    )


def as_used(
    url: str, when_down: WhenDown = "open", *, gateway: str = "g", patience_s: float = PATIENCE_S
) -> RedisStore:
    return RedisStore(url, when_down, MemoryStore(now_ms), gateway, patience_s=patience_s)


async def passes(store: LimitStore, reservation: str, *claims: Claim) -> bool:
    return isinstance(await verdict_on(store, reservation, *claims), Granted)


async def verdict_on(store: LimitStore, reservation: str, *claims: Claim) -> Verdict:
    [verdict] = await store.reserve([Wanted(reservation, together(claims))], 600_000)
    return verdict


async def passes_at_last(store: LimitStore, reservation: str, *claims: Claim) -> None:
    with trio.fail_after(PATIENT_S):
        while not await passes(store, reservation, *claims):  # noqa: ASYNC110 - what is waited for happens in Redis
            await trio.sleep(0.005)


NOW = "{clawgw}:now"
CLOCK = """
local real = redis
local redis = {call = function(command, key, value, ...)
  if command == 'PEXPIRE' then return 1 end
  if command == 'SET' then return real.call(command, key, value) end
  if value then return real.call(command, key, value, ...) end
  return real.call(command, key)
end}
local function now_ms() return tonumber(redis.call('GET', '{clawgw}:now')) end
"""
"""A key of which time passes in the test must not vanish because time passes outside."""
