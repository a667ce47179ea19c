import subprocess
import sys

from clawgw.config.mistakes import Mistake
from clawgw.serve.inheritance import Inheritance, Order, answer_line, inherited, parse_answer
from clawgw.serve.readings import Readings
from clawgw.web.exposition import Reloads


def test_what_a_supervisor_leaves_is_what_its_worker_gets() -> None:
    inheritance = Inheritance([3, 4], 5, "i1")
    assert inherited(inheritance.environment()) == inheritance


def test_whoever_has_no_supervisor_inherits_nothing() -> None:
    assert inherited({}) is None


def test_an_order_is_one_line_and_comes_as_it_was_sent() -> None:
    order = Order("serve", Readings({"a\n": b"\xff\n", "missing": 2}), Reloads(3, 1))
    line = order.line()
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
    assert Order.of_line(line) == order
    assert Order.of_line(Order("keep").line()) == Order("keep", Readings(), Reloads(0, 0))


def test_an_answer_is_one_line_and_comes_as_it_was_sent() -> None:
    mistakes = (Mistake("a.b", "no\ngood"), Mistake("c", "ü"))
    line = answer_line(mistakes)
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
    assert parse_answer(line) == mistakes
    assert parse_answer(b"[]\n") == ()


def test_the_pipes_are_for_the_worker_alone() -> None:
    script = """
import os, subprocess, sys
from clawgw.serve.inheritance import take_pipes
orders, answers = take_pipes()
print("printed", flush=True)
subprocess.run([sys.executable, "-c", "print('printed by a child')"])
order = os.read(orders, 100).decode()
os.write(answers, repr([order, sys.stdin.read(), os.get_inheritable(orders), os.get_inheritable(answers)]).encode())
"""
    ended = subprocess.run([sys.executable, "-c", script], input=b"an order", capture_output=True, check=True)  # noqa: S603 - the script above
    assert ended.stdout == b"['an order', '', False, False]"
    assert ended.stderr.splitlines() == [b"printed", b"printed by a child"]
