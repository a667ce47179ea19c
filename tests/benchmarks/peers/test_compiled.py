from pathlib import Path

import pytest

from benchmarks.peers import compiled
from benchmarks.peers.compiled import Unavailable, compile_programs


def test_without_a_compiler_it_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="apt-get install gcc"):
        compile_programs(tmp_path / "programs")


def test_what_the_compiler_says_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\necho no headers >&2\nexit 1\n")
    compiler.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="no headers"):
        compile_programs(tmp_path / "programs")


def test_the_upstream_can_do_without_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text('#!/bin/sh\ncase "$*" in *-lssl*) exit 1;; esac\n')
    compiler.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not compile_programs(tmp_path / "programs").tls


def test_the_sources_are_there() -> None:
    assert {file.name for file in compiled.SOURCES.iterdir()} == {"load.c", "upstream.c"}
