import os
import stat
from pathlib import Path

import pytest

from clawgw.config.mistakes import ConfigError
from clawgw.config.tables.log import Log
from clawgw.serve.checking import check_stores, make_folders
from tests.config.loading import snapshot

REDIS = '[limits]\nstore = "redis"\n'


def test_an_address_of_a_redis_that_is_none() -> None:
    check_stores(snapshot(REDIS, {"REDIS_URL": "redis://db.example:6379/3"}))
    with pytest.raises(ConfigError) as caught:
        check_stores(snapshot(REDIS, {"REDIS_URL": "redis://:s3cret@db.example:port", "MONGODB_URL": "s3cret"}))
    assert [str(mistake) for mistake in caught.value.mistakes] == [
        "limits.redis_url: must be a URL of a Redis, such as redis://HOST:6379/0",
        "log.mongo.url: must be a URL of a MongoDB (mongodb://, mongodb+srv://), user and password percent-encoded",
    ]


def test_folders_of_the_log_are_made_for_this_user_alone(tmp_path: Path) -> None:
    log = Log(path=str(tmp_path / "data" / "log" / "clawgw.db"), spool=str(tmp_path / "spool"))
    make_folders(log)
    assert stat.S_IMODE((tmp_path / "data" / "log").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700
    make_folders(log)


def test_folders_that_cannot_be_had_are_all_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ConfigError) as caught:
        make_folders(Log(path=str(tmp_path / "file" / "clawgw.db"), spool=str(tmp_path / "file")))
    assert [str(mistake) for mistake in caught.value.mistakes] == [
        f"log.path: {tmp_path / 'file'} cannot be made: File exists; name another place",
        f"log.spool: {tmp_path / 'file'} cannot be made: File exists; name another place",
    ]
    monkeypatch.setattr(os, "access", lambda *_: False)  # as for whoever is not root
    with pytest.raises(ConfigError, match=r"^log\.path: .* cannot be written by this user; name .*\nlog\.spool"):
        make_folders(Log(path=str(tmp_path / "clawgw.db"), spool=str(tmp_path / "spool")))
