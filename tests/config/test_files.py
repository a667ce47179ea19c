from pathlib import Path

import pytest

from clawgw.config.files import Choice, load_chosen, log_of
from clawgw.config.load import Overrides
from clawgw.config.mistakes import ConfigError
from clawgw.config.snapshot import Snapshot
from tests.config.loading import reader


def chosen(choice: Choice, environ: dict[str, str], files: dict[str, bytes]) -> Snapshot:
    return load_chosen(choice, environ, reader(files))


def complaint(choice: Choice, environ: dict[str, str], files: dict[str, bytes]) -> str:
    with pytest.raises(ConfigError) as caught:
        chosen(choice, environ, files)
    return str(caught.value)


def workers(choice: Choice, environ: dict[str, str], files: dict[str, bytes]) -> int:
    return chosen(choice, environ, files).settings.server.workers


FILES = {
    "gateway.toml": b"[server]\nworkers = 2",
    "b.toml": b"[server]\nworkers = 3",
    "c/d.toml": b"\xef\xbb\xbf[server]\r\nworkers = 4\r\n",
    ".env": b"CLAWGW_CONFIG=b.toml\nOPENAI_API_KEY=from-file\nGROQ_API_KEY=only-file",
}


def test_the_option_then_the_variable_then_the_usual_name_then_nothing() -> None:
    environ = {"CLAWGW_CONFIG": "b.toml"}
    assert workers(Choice(config="c/d.toml"), environ, FILES) == 4
    assert workers(Choice(), environ, FILES) == 3
    assert workers(Choice(), {"CLAWGW_CONFIG": ""}, FILES) == 2
    assert workers(Choice(), {}, {}) == 1
    assert workers(Choice(overrides=Overrides(workers=9)), {}, FILES) == 9


def test_the_process_wins_over_the_env_file() -> None:
    loaded = chosen(Choice(env_file=".env"), {"OPENAI_API_KEY": "from-process"}, FILES)
    assert loaded.settings.server.workers == 3
    assert loaded.providers["openai"].keys[0].reveal() == "from-process"
    assert loaded.providers["groq"].keys[0].reveal() == "only-file"


def test_a_file_that_was_named_must_be_there() -> None:
    assert complaint(Choice(config="x.toml"), {}, FILES) == "x.toml: there is no such file"
    assert complaint(Choice(), {"CLAWGW_CONFIG": "y.toml"}, FILES) == "y.toml: there is no such file"
    assert complaint(Choice(env_file="none.env"), {}, FILES) == "none.env: there is no such file"


def test_a_file_must_be_text() -> None:
    assert complaint(Choice(), {}, {"gateway.toml": b"\xff"}) == "gateway.toml: is not UTF-8 text"


def test_names_in_a_file_start_at_its_folder() -> None:
    files = {"c/d.toml": b'[providers.openai]\napi_keys = ["file:k"]', "c/k": b"sk-1"}
    assert chosen(Choice(config="c/d.toml"), {}, files).providers["openai"].keys[0].reveal() == "sk-1"


def test_mistakes_in_a_file_are_told_by_its_own_name() -> None:
    assert complaint(Choice(config="e.toml"), {}, {"e.toml": b"a = = 1"}).startswith("e.toml:1:5: ")


def test_a_file_that_cannot_be_read_says_why() -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    def refuse_silently(_: Path) -> bytes:
        raise OSError

    for read, reason in ((refuse, "Permission denied"), (refuse_silently, "no reason given")):
        with pytest.raises(ConfigError, match=rf"^gateway.toml: cannot be read: {reason}$"):
            load_chosen(Choice(), {}, read)


@pytest.mark.parametrize(
    ("text", "log"),
    [
        (b"", "clawgw.db"),
        (b"[log]\npath = 'log/x.db'", "log/x.db"),
        (b"[log]\npath = '/var/x.db'\n[server]\nworkerz = 1", "/var/x.db"),
        (b"[log", "clawgw.db"),
    ],
)
def test_the_log_is_found_whatever_else_is_wrong(text: bytes, log: str) -> None:
    read = reader({"etc/gateway.toml": text})
    assert log_of(Choice(config="etc/gateway.toml"), {}, read) == Path("etc", log)
