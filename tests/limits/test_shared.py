import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import trio
from hypothesis import settings
from trio.testing import MockClock

from clawgw.limits.bucket import Bucket, Spent, Standing
from clawgw.limits.lock import IMPATIENT_S, PATIENCE_S
from clawgw.limits.shared import SharedStore
from clawgw.limits.table import Table, create_shared
from tests.given_time import Stopwatch
from tests.limits.claims import Claim
from tests.limits.direct import Directly
from tests.limits.machine import Driven, LimitMachine
from tests.limits.processes import NOON, PAIR, PLACES, budget, go, line, working

TEN = Bucket("key", "k", "requests", 10)


class Shared(LimitMachine):
    def open(self, now_ms: Callable[[], int]) -> Driven:
        fd = create_shared()
        self.closes = fd
        return Directly(SharedStore(fd, now_ms))

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "closes"):
            os.close(self.closes)


Shared.TestCase.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
TestShared = Shared.TestCase


@pytest.fixture
def fd() -> Iterator[int]:
    fd = create_shared()
    yield fd
    os.close(fd)


@pytest.fixture
def store(fd: int) -> Iterator[Directly]:
    store = Directly(SharedStore(fd, lambda: NOON))
    yield store
    store.close()


@pytest.mark.parametrize(("limit", "tries"), [(10, 50), (100_000, 40_000)])
def test_three_processes_get_exactly_what_there_is(fd: int, limit: int, tries: int) -> None:
    with ExitStack() as stack:
        workers = [stack.enter_context(working(fd, "take", limit, tries)) for _ in range(3)]
        assert [line(worker) for worker in workers] == ["ready"] * 3
        for worker in workers:
            go(worker)
        results = [[int(word) for word in line(worker).split()] for worker in workers]
    assert [unreached for _, unreached in results] == [0, 0, 0]
    assert sum(got for got, _ in results) == limit


def test_killing_workers_at_any_moment_harms_nothing(fd: int, store: Directly) -> None:
    """A bucket and a budget that are always charged together stay equal: nobody dies between them."""
    dice = random.Random(1)  # noqa: S311 - chance, not secrecy
    with ExitStack() as stack:
        for _ in range(8):
            pair = [stack.enter_context(working(fd, "churn")) for _ in range(2)]
            for worker in pair:
                assert line(worker) == "begun"
            time.sleep(dice.random() / 20)
            for worker in pair:
                worker.kill()
                worker.wait()
            store.settle("nobody's", [])
            tokens, dollars = (store.peek(bucket) for bucket in PAIR)
            assert tokens is not None
            assert dollars is not None
            assert 10**9 - tokens.remaining == 10**12 - dollars.remaining > 0
    places = store.peek(PLACES)
    assert places is not None
    assert 1_000 - 16 <= places.remaining <= 1_000


def test_a_write_that_was_begun_is_finished_by_whoever_comes_next(
    fd: int, store: Directly, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = Directly(SharedStore(fd, lambda: NOON))
    store.reserve("a", [Claim(PAIR[0], 1)])
    with monkeypatch.context() as patch:
        patch.setattr(Table, "repair", lambda _: None)
        dying.reserve("b", [Claim(bucket, 7) for bucket in PAIR])
    assert [store.peek(bucket).remaining for bucket in PAIR] == [10**9 - 1, 10**12]  # type: ignore[union-attr] # memory knows all
    store.settle("nobody's", [])
    assert [store.peek(bucket).remaining for bucket in PAIR] == [10**9 - 8, 10**12 - 7]  # type: ignore[union-attr] # memory knows all
    dying.close()


def test_a_mistake_of_the_caller_leaves_the_lock_free(fd: int, store: Directly) -> None:
    store.reserve("a", [Claim(TEN, 1)])
    with pytest.raises(ValueError, match="shorter"):
        store.settle("a", [])
    with working(fd, "take", 1, 1, patience_s=0) as worker:
        go(worker)
        assert [line(worker), line(worker)] == ["ready", "1 0"]


def test_two_views_of_one_table_are_one_store(fd: int, store: Directly) -> None:
    other = Directly(SharedStore(fd, lambda: NOON))
    store.reserve("a", [Claim(TEN, 4)])
    assert other.reserve("a", [Claim(TEN, 4)]).standings == (Standing(TEN, 2, 48_000),)
    assert store.peek(TEN) == Standing(TEN, 2, 48_000)
    other.settle("a", [0])
    assert store.peek(TEN) == Standing(TEN, 6, 24_000)
    assert isinstance(store.store, SharedStore)
    assert store.store.evicted == 0
    other.close()


async def test_run_renews_every_ten_seconds(fd: int, autojump_clock: MockClock) -> None:
    store = Directly(SharedStore(fd, lambda: NOON + round(trio.current_time() * 1000)))
    store.reserve("a", [Claim(PLACES, 1_000)])
    with trio.move_on_after(65):
        await store.store.run()
    assert not store.passes("b", Claim(PLACES, 1))
    await trio.sleep(30)
    assert store.passes("c", Claim(PLACES, 1_000))
    store.close()


def test_places_of_a_killed_process_are_free_within_thirty_seconds(fd: int) -> None:
    now_ms = NOON
    store = Directly(SharedStore(fd, lambda: now_ms))
    with working(fd, "hold", 1_000) as worker:
        assert line(worker) == "True"
        assert not store.passes("a", Claim(PLACES, 1))
        worker.kill()
        worker.wait()
    store.renew()
    assert not store.passes("b", Claim(PLACES, 1))
    now_ms += 30_000
    assert store.passes("c", Claim(PLACES, 1_000))
    store.close()


def test_a_stopped_process_that_holds_the_lock_hangs_nobody(fd: int, store: Directly) -> None:
    assert store.passes("before", Claim(TEN, 4))
    assert store.passes("placed", Claim(PLACES, 400))
    with working(fd, "stop") as worker:
        assert line(worker) == "stopped"
        os.waitid(os.P_PID, worker.pid, os.WSTOPPED | os.WNOWAIT)
        started, stopwatch = time.monotonic(), Stopwatch()
        assert store.passes("first", Claim(TEN, 10))
        assert stopwatch.given_s() < 10 * PATIENCE_S
        assert time.monotonic() - started >= PATIENCE_S
        stopwatch = Stopwatch()
        assert not store.passes("second", Claim(TEN, 1))
        store.settle("first", [9])
        assert store.passes("third", Claim(TEN, 1))
        for settled in ("before", "placed"):
            store.settle(settled, [1])
        store.seed(budget(1_000), Spent(700, NOON - 28 * 86_400_000 - 43_200_000))
        store.renew()
        assert stopwatch.given_s() < IMPATIENT_S
        assert store.peek(TEN) == Standing(TEN, 6, 24_000)
        assert isinstance(store.store, SharedStore)
        assert store.store.unreached == 8
        worker.send_signal(signal.SIGCONT)
        worker.kill()
        worker.wait()
    store.renew()
    assert store.passes("after", Claim(TEN, 9), Claim(PLACES, 1_000))
    assert store.peek(budget(1_000)) == Standing(budget(1_000), 300, 43_200_000)
