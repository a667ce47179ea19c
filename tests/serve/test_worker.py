import os
import subprocess
import sys
from collections.abc import Sequence

import pytest
import trio
import trio.testing
from attrs import define, field

from clawgw.config.mistakes import Mistake
from clawgw.serve.inheritance import Inheritance, Order
from clawgw.serve.readings import Readings
from clawgw.serve.stopping import Stop
from clawgw.serve.worker import listen, obey
from clawgw.web.exposition import Reloads
from tests.serve.gateway import environment


@define
class FakeSite:
    done: list[tuple[object, ...]] = field(factory=list)

    async def prepare(self, readings: Readings) -> Sequence[Mistake]:
        self.done.append(("prepare", readings))
        if readings == Readings({"broken": b""}):
            raise RuntimeError("sk-secret")
        return [Mistake("a", "no")]

    async def swap(self, reloads: Reloads) -> None:
        self.done.append(("swap", reloads))

    async def keep(self, reloads: Reloads) -> None:
        self.done.append(("keep", reloads))


async def test_orders_are_passed_on_until_the_pipe_ends_which_stops_at_once(nursery: trio.Nursery) -> None:
    read_end, write_end = os.pipe()
    stop = Stop()
    said, orders = trio.open_memory_channel[Order](10)
    nursery.start_soon(listen, read_end, said, stop)
    order = Order("serve", Readings({"a": b"1"}), Reloads(2, 3))
    line = order.line()
    os.write(write_end, line[:7])
    await trio.testing.wait_all_tasks_blocked()
    os.write(write_end, line[7:] + Order("swap").line())
    with trio.fail_after(5):
        assert [await orders.receive(), await orders.receive()] == [order, Order("swap")]
        assert not stop.draining.is_set()
        os.close(write_end)
        await stop.at_once.wait()
        with pytest.raises(trio.EndOfChannel):
            await orders.receive()
    assert stop.draining.is_set()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.close(read_end)


async def test_every_order_is_carried_out_and_answered_in_its_turn(caplog: pytest.LogCaptureFixture) -> None:
    site, answers = FakeSite(), list[list[str]]()
    said, orders = trio.open_memory_channel[Order](10)
    good, broken = Readings({"good": b""}), Readings({"broken": b""})
    for order in (
        Order("prepare", good),
        Order("swap", reloads=Reloads(1, 0)),
        Order("prepare", broken),
        Order("keep", reloads=Reloads(1, 1)),
    ):
        said.send_nowait(order)
    said.close()
    await obey(orders, site, lambda mistakes: answers.append([*map(str, mistakes)]))
    assert site.done == [
        ("prepare", good),
        ("swap", Reloads(1, 0)),
        ("prepare", broken),
        ("keep", Reloads(1, 1)),
    ]
    assert answers == [["a: no"], [], ["reload: failed unexpectedly (RuntimeError)"], []]
    assert "sk-secret" not in caplog.text


def start_worker(said: bytes) -> subprocess.CompletedProcess[bytes]:
    """`clawgw serve` as a worker that is given these orders."""
    command = [sys.executable, "-m", "clawgw", "serve"]
    variables = environment() | Inheritance([], -1, "i1").environment()
    return subprocess.run(command, input=said, env=variables, capture_output=True, check=False)  # noqa: S603 - our own code


def test_a_worker_whose_supervisor_is_gone_before_the_first_order_ends() -> None:
    ended = start_worker(b"")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_a_worker_that_cannot_serve_says_why_and_ends() -> None:
    ended = start_worker(Order("serve", Readings({"gateway.toml": b"[server]\nworkerz = 1"})).line())
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert b"server.workerz: unknown key, did you mean workers?" in ended.stderr
