from collections.abc import Mapping
from pathlib import Path

import pytest

from clawgw.config.snapshot import Secret
from clawgw.config.sources import Sources, UnreadableError
from tests.config.loading import FOLDER, reader


def sources(environ: Mapping[str, str] | None = None, files: Mapping[str, bytes] | None = None) -> Sources:
    return Sources(environ or {}, reader(files or {}), FOLDER)


def test_a_variable_that_is_empty_is_not_set() -> None:
    world = sources({"A": " x ", "B": " \n"})
    assert [world.variable(name) for name in "ABC"] == ["x", None, None]


def test_a_secret_is_a_variable_or_a_file_beside_the_configuration() -> None:
    world = sources({"KEY": "sk-1"}, {"/etc/clawgw/keys/a": b"sk-2\n", "/run/b": b"sk-3\r\n"})
    assert world.secret("env:KEY") == Secret("sk-1")
    assert world.secret("env:OTHER") is None
    assert world.secret("file:keys/a") == Secret("sk-2")
    assert world.secret("file:/run/b") == Secret("sk-3")


@pytest.mark.parametrize("content", [b"", b"\n", b"sk-1\nsk-2", b"sk 1", b"sk-\x00", b"sk-\xff", "sk-é".encode()])
def test_a_file_holds_one_key_and_nothing_else(content: bytes) -> None:
    with pytest.raises(UnreadableError) as caught:
        sources(files={"/etc/clawgw/k": content}).secret("file:k")
    assert str(caught.value) == "k must hold one key: visible ASCII characters without spaces"


def test_a_variable_may_hold_bytes_that_are_no_text() -> None:
    with pytest.raises(UnreadableError, match=r"^KEY must hold one key"):
        sources({"KEY": "sk-\udcff"}).secret("env:KEY")


def test_a_file_that_cannot_be_read_is_named_as_it_was_written() -> None:
    with pytest.raises(UnreadableError) as caught:
        sources().secret("file:keys/none")
    assert str(caught.value) == "keys/none cannot be read: No such file or directory"


def test_an_error_without_words_has_some() -> None:
    def refuse(_: Path) -> bytes:
        raise OSError

    with pytest.raises(UnreadableError, match=r"^k cannot be read: no reason given$"):
        Sources({}, refuse, FOLDER).file("k")


def test_the_version_is_that_of_what_was_looked_at() -> None:
    def version(environ: Mapping[str, str], content: bytes, *notes: str) -> str:
        world = sources(environ, {"/etc/clawgw/k": content})
        world.variable("A")
        world.file("k")
        world.note(*notes)
        return world.version()

    first = version({"A": "1"}, b"x")
    assert first == version({"A": "1", "UNRELATED": "2"}, b"x")
    others = [version({"A": "2"}, b"x"), version({}, b"x"), version({"A": "1"}, b"y"), version({"A": "1"}, b"x", "")]
    assert len({first, *others, version({"A": "1"}, b"x", "a", "b"), version({"A": "1"}, b"x", "ab")}) == 7
    assert len(first) == 12
    assert int(first, 16) >= 0


def test_no_variable_is_in_the_repr() -> None:
    assert "sk-1" not in repr(sources({"KEY": "sk-1"}))
