import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from clawgw.web.exposition import METRICS_DIR, Configuration, Exposition, forget_process


def exposition() -> Exposition:
    return Exposition(Configuration("v1"))


def test_openmetrics_where_it_is_asked_for() -> None:
    text, content_type = exposition().text("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert text.endswith(b"# EOF\n")


@pytest.mark.parametrize("accept", ["text/plain; version=x", "application/openmetrics-text; version=", "a/b;;=,"])
def test_an_odd_accept_header_is_no_bug(accept: str) -> None:
    assert b"clawgw_config_info" in exposition().text(accept)[0]


_COUNT = """
import os
from clawgw.web.metrics import Metrics
metrics = Metrics(lambda target: target.model, "v1")
metrics.refused("embeddings", 413)
metrics.request_started("embeddings")
metrics.note_spool(3, 400)
print(os.getpid())
print(metrics.exposition("")[0].decode())
"""


def count_in_a_worker(folder: Path) -> tuple[int, list[str]]:
    """Its number, and all lines that it would show."""
    environment = {**os.environ, METRICS_DIR: str(folder)}
    command = [sys.executable, "-c", _COUNT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    pid, *lines = done.stdout.splitlines()
    return int(pid), lines


def test_with_several_workers_all_are_counted(tmp_path: Path) -> None:
    count_in_a_worker(tmp_path)
    _, lines = count_in_a_worker(tmp_path)
    line = 'clawgw_requests_total{endpoint="embeddings",model="",provider="",route="",status="413"} 2.0'
    assert line in lines
    assert "clawgw_in_flight 2.0" in lines
    assert "clawgw_log_spool_rows 6.0" in lines
    assert "clawgw_log_spool_bytes 400.0" in lines
    assert 'clawgw_config_info{version="v1"} 1.0' in lines
    assert 'clawgw_reloads_total{result="ok"} 0.0' in lines


def test_what_a_dead_worker_has_counted_stays_but_what_it_was_doing_does_not(tmp_path: Path) -> None:
    pid, _ = count_in_a_worker(tmp_path)
    forget_process(tmp_path, pid)
    _, lines = count_in_a_worker(tmp_path)
    line = 'clawgw_requests_total{endpoint="embeddings",model="",provider="",route="",status="413"} 2.0'
    assert line in lines
    assert "clawgw_in_flight 1.0" in lines


def test_workers_that_come_and_go_leave_one_file(tmp_path: Path) -> None:
    for _ in range(3):
        pid, _ = count_in_a_worker(tmp_path)
        forget_process(tmp_path, pid)
    _, lines = count_in_a_worker(tmp_path)
    line = 'clawgw_requests_total{endpoint="embeddings",model="",provider="",route="",status="413"} 4.0'
    assert line in lines
    assert len([*tmp_path.glob("counts-*")]) == 2


def test_counts_that_cannot_be_put_together_are_shown_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_path: Path, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    pids = [count_in_a_worker(tmp_path)[0] for _ in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        forget_process(tmp_path, pids[0])
    assert "No space left on device" in caplog.text
    _, lines = count_in_a_worker(tmp_path)
    line = 'clawgw_requests_total{endpoint="embeddings",model="",provider="",route="",status="413"} 3.0'
    assert line in lines
