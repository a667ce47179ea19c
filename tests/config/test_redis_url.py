import pytest

from tests.config.loading import mistakes, snapshot

REDIS = '[limits]\nstore = "redis"\n'
URL = "redis://:secret@127.0.0.1:6379/0"


@pytest.mark.parametrize(
    ("text", "environ", "files"),
    [
        (REDIS, {"REDIS_URL": URL}, {}),
        (REDIS + 'redis_url = "env:MINE"', {"MINE": URL}, {}),
        (REDIS + 'redis_url = "file:redis.url"', {}, {"/etc/clawgw/redis.url": URL.encode() + b"\n"}),
    ],
)
def test_a_redis_is_found_where_the_configuration_says(
    text: str, environ: dict[str, str], files: dict[str, bytes]
) -> None:
    found = snapshot(text, environ, files)
    assert found.redis_url is not None
    assert found.redis_url.reveal() == URL
    assert "secret" not in repr(found)


def test_an_address_without_a_password_may_stand_in_the_file() -> None:
    found = snapshot(REDIS + 'redis_url = "unix:///run/redis.sock"').redis_url
    assert found is not None
    assert found.reveal() == "unix:///run/redis.sock"


def test_without_use_for_it_nobody_asks() -> None:
    assert snapshot("", {"REDIS_URL": URL}).redis_url is None


@pytest.mark.parametrize(
    ("text", "environ", "problem"),
    [
        (REDIS, {}, "the variable REDIS_URL is not set"),
        (REDIS + 'redis_url = "file:no"', {}, "no cannot be read: No such file or directory"),
        (REDIS, {"REDIS_URL": "http://:secret@h"}, "must be a URL that begins with redis://, rediss://, unix://"),
    ],
)
def test_a_redis_that_cannot_be_found_is_a_mistake(text: str, environ: dict[str, str], problem: str) -> None:
    assert mistakes(text, environ) == [f"limits.redis_url: {problem}"]
