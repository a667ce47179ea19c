from pathlib import Path

import pytest

from clawgw.policies.trial import try_import
from tests.given_time import Stopwatch
from tests.policy_runtime.sources import MINE, QUOTA, sources

GOOD = "from clawgw.policy import in_turn\ndef route(r, t, o): return in_turn(t)"


def test_a_good_policy_can_be_imported() -> None:
    assert try_import(sources(mine="from .other import route", other=GOOD), MINE) is None


def test_what_lies_in_the_working_directory_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise RuntimeError('not the one that is meant')")
    monkeypatch.chdir(tmp_path)
    assert try_import(sources(mine=GOOD), MINE) is None


def test_it_is_tried_as_what_it_is_there_for() -> None:
    three = "policies/mine.py: quota must take two arguments: request, options"
    assert try_import(sources(mine="def quota(r, o): return []"), QUOTA) is None
    assert try_import(sources(mine="def quota(r, t, o): return []"), QUOTA) == three


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x\n", "policies/mine.py:1: NameError: name 'x' is not defined"),
        ("", "policies/mine.py: route is not there"),
        ("import sys; sys.exit(0)", "policies/mine.py:1: SystemExit: 0"),
        ("import os; os._exit(0)", "policies/mine.py: its import has ended the process (exit code 0)"),
        ("import os; os._exit(3)", "policies/mine.py: its import has ended the process (exit code 3)"),
        ("import os; os.kill(os.getpid(), 11)", "policies/mine.py: its import has ended the process (exit code -11)"),
    ],
)
def test_what_is_wrong_is_one_line(text: str, expected: str) -> None:
    assert try_import(sources(mine=text), MINE) == expected


def test_what_it_prints_is_no_report() -> None:
    noise = "import os, sys\nprint('null')\nsys.stderr.write('x' * 1_000_000)\nos.write(1, b'null')\nsys.stdin.read()\n"
    assert try_import(sources(mine=noise + GOOD), MINE) is None
    assert try_import(sources(mine=noise), MINE) == "policies/mine.py: route is not there"


@pytest.mark.parametrize(
    "text",
    [
        "while True: pass",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "import threading; threading.Event().wait()",
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
    ],
)
def test_one_that_hangs_is_ended(text: str) -> None:
    stopwatch = Stopwatch()
    assert try_import(sources(mine=text), MINE, 1.0) == "policies/mine.py: its import has not ended after 1 s"
    assert stopwatch.given_s() < 3.0
