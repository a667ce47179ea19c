import json
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest

from clawgw.cli import main
from clawgw.config.load import load
from tests.config.loading import reader

HASH = "ab" * 32
KEYS = f"""
[[keys]]
name = "alice"
sha256 = "{HASH}"
models = ["fast", "gpt-*"]
labels = {{ team = "search" }}
[[keys]]
name = "root"
sha256 = "{"cd" * 32}"
admin = true
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CLAWGW_CONFIG", raising=False)
    return tmp_path


def test_a_new_key_and_its_block_fit_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "new", "alice"]) == 0
    key, *block = capsys.readouterr().out.splitlines()
    assert tomllib.loads("\n".join(block)) == {
        "keys": [{"name": "alice", "sha256": sha256(key.encode()).hexdigest(), "models": ["*"]}]
    }


def test_a_key_holds_256_bits_and_is_never_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    keys = set()
    for _ in range(20):
        main(["keys", "new", "a", "--json"])
        keys.add(json.loads(capsys.readouterr().out)["key"])
    assert len(keys) == 20
    assert {len(key) for key in keys} == {len("clawgw-") + 43}


def test_what_is_asked_for_is_in_the_block_and_loads(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--model", "fast", "--model", 'odd"*', "--label", "team=a b\x7f", "--label", "x.y=1", "--admin"]
    assert main(["keys", "new", "bob", *options]) == 0
    _, *block = capsys.readouterr().out.splitlines()
    (key,) = load("\n".join(block), {}, read_file=reader({})).settings.keys
    assert (key.name, key.models, key.admin) == ("bob", ("fast", 'odd"*'), True)
    assert key.labels == {"team": "a b\x7f", "x.y": "1"}


@pytest.mark.parametrize("arguments", [["new"], ["new", "two words"], ["new", ""], ["new", "a", "--label", "x"], []])
def test_bad_usage_is_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["keys", *arguments])
    assert caught.value.code == 2
    assert "usage: clawgw keys" in capsys.readouterr().err


def test_the_list_tells_everything_but_the_hash(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "gateway.toml").write_text(KEYS)
    assert main(["keys", "list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "alice  models fast gpt-*, team=search",
        "root   models *, admin",
    ]


def test_the_list_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "gateway.toml").write_text(KEYS)
    assert main(["keys", "list", "--json"]) == 0
    out = capsys.readouterr().out
    assert HASH not in out
    assert json.loads(out)[0] == {
        "name": "alice",
        "models": ["fast", "gpt-*"],
        "admin": False,
        "labels": {"team": "search"},
        "limits": None,
        "budget": None,
    }


def test_an_empty_list_says_how_to_begin(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "list"]) == 0
    assert "clawgw keys new NAME" in capsys.readouterr().err
