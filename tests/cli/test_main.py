import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clawgw import __version__
from clawgw.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parents[2]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out == f"clawgw {__version__}\n"
    assert main(["version", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"version": __version__}


@pytest.mark.parametrize("arguments", [[], ["chek"], ["version", "--jsn"], ["check", "extra"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: clawgw")


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"\n    {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: clawgw {command}")


def test_arguments_are_taken_from_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["clawgw", "version"])
    assert main() == 0
    assert capsys.readouterr().out == f"clawgw {__version__}\n"


def test_a_command_imports_nothing_of_the_others() -> None:
    code = (
        "import sys; from clawgw.cli import main; main(['version']); assert not {'trio', 'cattrs'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)  # noqa: S603 - our own code


def clawgw(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """The command as a process of its own."""
    command = [sys.executable, "-m", "clawgw", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, cwd=ROOT, **options)  # noqa: S603 - our own code


@pytest.mark.parametrize(("command", "code"), [("schema", 1), ("version", 0), ("--help", 0)])
def test_nobody_reads_to_the_end(command: str, code: int) -> None:
    read, write = os.pipe()
    os.close(read)
    buffered = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with clawgw(command, stdout=write, env=buffered) as process:
        os.close(write)
        _, said = process.communicate(timeout=20)
    assert said == b""
    assert process.returncode == code


def test_letters_that_the_output_does_not_have() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    with clawgw("explain", "--help", stdout=subprocess.PIPE, env=environment) as process:
        printed, said = process.communicate(timeout=20)
    assert said == b""
    assert b"0 ? X < 1" in printed


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("clawgw.cli.version.run", interrupted)
    assert main(["version"]) == 1
    assert capsys.readouterr() == ("", "")
