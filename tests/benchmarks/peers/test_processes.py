import os
import subprocess
import sys
from pathlib import Path

from benchmarks.peers.machine import usable_cores
from benchmarks.peers.processes import OUTPUT, family, free_port, move, reading, running

PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"


def test_what_a_process_holds() -> None:
    before = reading(os.getpid())
    held = bytearray(os.urandom(1) * (32 << 20))
    with Path(os.devnull).open() as _:
        after = reading(os.getpid())
    assert 30 < after.rss_mib - before.rss_mib < 40
    assert after.fds == before.fds + 1
    assert after.cpu_s >= before.cpu_s > 0
    del held


def test_a_family_is_found_and_moved() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE) as parent:  # noqa: S603 - our own words
        while len(found := family(parent.pid)) < 2:
            assert parent.poll() is None
        assert found[0] == parent.pid
        move(found[1], usable_cores()[-1])
        assert os.sched_getaffinity(found[1]) == {usable_cores()[-1]}


def test_a_process_is_told_to_end_and_leaves_what_it_said(tmp_path: Path) -> None:
    code = "import os; print(sorted(os.environ), flush=True); import signal; signal.pause()"
    os.environ["SECRET_API_KEY"] = "x"
    try:
        with running([sys.executable, "-c", code], {"GIVEN": "1"}, tmp_path, usable_cores()) as process:
            while "GIVEN" not in (tmp_path / OUTPUT).read_text():
                assert process.poll() is None
    finally:
        del os.environ["SECRET_API_KEY"]
    assert process.returncode is not None
    assert "SECRET_API_KEY" not in (tmp_path / OUTPUT).read_text()


def test_a_free_port() -> None:
    assert 1024 < free_port() < 65536
