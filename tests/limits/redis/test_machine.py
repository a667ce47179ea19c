"""The store in Redis gives the answers of the plain model, step by step; Redis's clock is a key that the test sets."""

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from queue import SimpleQueue

import pytest
import trio
from attrs import frozen
from hypothesis import settings

from clawgw.limits.bucket import Bucket, Spent, Standing, Verdict, Wanted
from clawgw.limits.redis.scripts import Scripts
from clawgw.limits.redis.store import RedisStore
from tests.limits.machine import Driven, LimitMachine
from tests.limits.redis.server import RedisServer
from tests.limits.redis.stores import CLOCK, NOW, patient


@frozen
class InRedis:
    server: RedisServer
    store: RedisStore
    token: trio.lowlevel.TrioToken
    now_ms: Callable[[], int]

    def reserve_each(self, wanted: Sequence[Wanted], expires_ms: int) -> Sequence[Verdict]:
        self._beat()
        return trio.from_thread.run(self.store.reserve, wanted, expires_ms, trio_token=self.token)

    def settle(self, reservation: str, used: Sequence[int]) -> None:
        self._do(partial(self.store.settle, reservation, used))

    def peek(self, bucket: Bucket) -> Standing | None:
        self._beat()
        return trio.from_thread.run_sync(self.store.peek, bucket, trio_token=self.token)

    def seed(self, bucket: Bucket, spent: Spent) -> None:
        self._do(partial(self.store.seed, bucket, spent))

    def renew(self) -> None:
        self._do(self.store.renew)

    def close(self) -> None:
        self.server.client.flushall()

    def _do(self, step: Callable[[], None]) -> None:
        self._beat()
        trio.from_thread.run_sync(step, trio_token=self.token)
        self._beat()

    def _beat(self) -> None:
        """Tell the time, and wait for all that was said before."""
        self.server.client.set(NOW, self.now_ms())
        trio.from_thread.run(self.store.beat, trio_token=self.token)
        assert self.store.degraded is None


class Shared(LimitMachine):
    most_back_ms = 0
    sees_present = False
    server: RedisServer
    store_in_use: RedisStore
    token: trio.lowlevel.TrioToken

    def open(self, now_ms: Callable[[], int]) -> Driven:
        return InRedis(self.server, self.store_in_use, self.token, now_ms)


@pytest.fixture(scope="module", autouse=True)
def driven(shared_server: RedisServer) -> Iterator[None]:
    started: SimpleQueue[tuple[trio.lowlevel.TrioToken, trio.CancelScope]] = SimpleQueue()
    shared_server.client.flushall()
    shared_server.client.set(NOW, 0)
    Shared.server = shared_server
    Shared.store_in_use = patient(shared_server.url, scripts=Scripts.read(clock=CLOCK))

    async def run() -> None:
        with trio.CancelScope() as scope:
            started.put((trio.lowlevel.current_trio_token(), scope))
            await Shared.store_in_use.run()

    thread = threading.Thread(target=trio.run, args=(run,))
    thread.start()
    Shared.token, scope = started.get()
    yield
    trio.from_thread.run_sync(scope.cancel, trio_token=Shared.token)
    thread.join()


Shared.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestShared = Shared.TestCase
