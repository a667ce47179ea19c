"""`clawgw reload` beside a presence of this process; `os.kill` is what the gateway hears."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clawgw.cli import main
from clawgw.config.mistakes import Mistake
from clawgw.serve.presence import Presence, Word

Hear = Callable[[], None]
SetHear = Callable[[Hear], None]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CLAWGW_CONFIG", raising=False)
    (tmp_path / "log").mkdir()
    (tmp_path / "gateway.toml").write_text("[log]\npath = 'log/clawgw.db'")
    return tmp_path


@pytest.fixture
def gateway(folder: Path) -> Iterator[Presence]:
    """It has been running for an hour."""
    presence = Presence(folder / "log")
    presence.announce(Word(time.time() - 3600, ok=True, version="old"))
    yield presence
    presence.leave()


@pytest.fixture
def on_sighup(monkeypatch: pytest.MonkeyPatch) -> SetHear:
    def set_hear(hear: Hear) -> None:
        def kill(pid: int, number: int) -> None:
            assert (pid, number) == (os.getpid(), signal.SIGHUP)
            hear()

        monkeypatch.setattr("os.kill", kill)

    return set_hear


def answer(gateway: Presence, word: Word) -> Hear:
    return lambda: gateway.publish(word)


def test_it_waits_for_the_word(
    gateway: Presence, on_sighup: SetHear, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A word on a reload that began before it was asked for says nothing of what the files hold now."""
    words = [
        Word(time.time() - 1, ok=True, version="before"),
        Word(time.time() + 1, ok=True, version="new"),
    ]
    on_sighup(lambda: None)
    monkeypatch.setattr("time.sleep", lambda _seconds: gateway.publish(words.pop(0)))
    assert main(["reload"]) == 0
    assert capsys.readouterr().out == "configuration new is served\n"


def test_all_mistakes_are_printed(gateway: Presence, on_sighup: SetHear, capsys: pytest.CaptureFixture[str]) -> None:
    mistakes = (Mistake("server.workers", "needs a restart"), Mistake("a.b", "no good"))
    on_sighup(answer(gateway, Word(time.time() + 1, ok=False, version="old", mistakes=mistakes)))
    assert main(["reload"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "server.workers: needs a restart",
        "a.b: no good",
        "configuration old goes on being served",
    ]


def test_json(gateway: Presence, on_sighup: SetHear, capsys: pytest.CaptureFixture[str]) -> None:
    at = time.time() + 1
    on_sighup(answer(gateway, Word(at, ok=False, version="old", mistakes=(Mistake("a.b", "no"),))))
    assert main(["reload", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "at": at,
        "ok": False,
        "version": "old",
        "mistakes": [{"path": "a.b", "message": "no"}],
    }


def test_it_is_found_whatever_else_is_wrong_with_the_file(
    folder: Path, gateway: Presence, on_sighup: SetHear, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "gateway.toml").write_text("[log]\npath = 'log/clawgw.db'\n[server]\nworkers = 'many'\n[nonsense]")
    on_sighup(answer(gateway, Word(time.time() + 1, ok=False, version="old", mistakes=(Mistake("a", "no"),))))
    assert main(["reload"]) == 1
    assert capsys.readouterr().err.startswith("a: no\n")


def test_no_gateway(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reload"]) == 2
    said = "no gateway is running with this configuration (log/clawgw.pid names none)\n"
    assert capsys.readouterr().err == said


def test_one_that_does_not_answer(gateway: Presence, on_sighup: SetHear, capsys: pytest.CaptureFixture[str]) -> None:
    on_sighup(lambda: None)
    assert main(["reload", "--timeout", "0.01"]) == 1
    assert capsys.readouterr().err == f"the gateway (process {os.getpid()}) has not answered in 0.01 s\n"


def test_one_that_ends_meanwhile(gateway: Presence, on_sighup: SetHear, capsys: pytest.CaptureFixture[str]) -> None:
    on_sighup(gateway.leave)
    assert main(["reload"]) == 1
    assert capsys.readouterr().err == f"the gateway (process {os.getpid()}) has ended\n"


def test_one_of_another_user(gateway: Presence, on_sighup: SetHear, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> None:
        raise PermissionError(1, "Operation not permitted")

    on_sighup(refuse)
    assert main(["reload"]) == 1
    said = f"process {os.getpid()} cannot be told: Operation not permitted\n"
    assert capsys.readouterr().err == said


def test_a_file_that_only_another_user_can_read(
    gateway: Presence, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("clawgw.cli.reload.find", refuse)
    assert main(["reload"]) == 2
    assert capsys.readouterr().err == "log/clawgw.pid: Permission denied\n"


def test_the_config_that_was_named_must_be_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reload", "--config", "missing.toml"]) == 2
    assert capsys.readouterr().err == "missing.toml: there is no such file\n"


@pytest.mark.parametrize("timeout", ["0", "-1", "nan", "inf", "soon"])
def test_a_timeout_is_a_number_of_seconds(timeout: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["reload", "--timeout", timeout])
    assert caught.value.code == 2
    assert f"--timeout: '{timeout}': a number of seconds, more than 0" in capsys.readouterr().err
