import re
from pathlib import Path
from typing import Any

import pytest

from clawgw.config.restart import KEYS, restarts
from clawgw.config.settings import Settings
from clawgw.config.snapshot import ReadyKafka, ReadyMongo, Secret, Snapshot
from clawgw.config.tables.limits import Limits
from clawgw.config.tables.log import Log
from clawgw.config.tables.routes import Cache
from clawgw.config.tables.server import Metrics, Server


def of(settings: Settings | None = None, **addresses: Any) -> Snapshot:
    return Snapshot("v1", settings or Settings(), {}, {}, **addresses)


@pytest.mark.parametrize(
    ("new", "path"),
    [
        ({"server": Server(bind=("127.0.0.1:1",))}, "server.bind"),
        ({"server": Server(workers=2)}, "server.workers"),
        ({"server": Server(tls_cert="a")}, "server.tls_cert"),
        ({"server": Server(tls_key="a")}, "server.tls_key"),
        ({"log": Log(path="a")}, "log.path"),
        ({"limits": Limits(store="redis")}, "limits.store"),
        ({"limits": Limits(redis_timeout_s=1.0)}, "limits.redis_timeout_s"),
        ({"limits": Limits(when_down="open")}, "limits.when_down"),
        ({"cache": Cache(store="memory")}, "cache.store"),
        ({"cache": Cache(max_bytes=1)}, "cache.max_bytes"),
        ({"metrics": Metrics(bind="127.0.0.1:1")}, "metrics.bind"),
    ],
)
def test_what_needs_a_restart(new: dict[str, Any], path: str) -> None:
    assert [str(mistake) for mistake in restarts(of(), of(Settings(**new)))] == [f"{path}: needs a restart"]


@pytest.mark.parametrize(
    ("path", "addresses"),
    [
        ("log.mongo", {"mongo": ReadyMongo(Secret("mongodb://a"), "clawgw", "requests")}),
        ("log.kafka", {"kafka": ReadyKafka(Secret("a:9092"), "clawgw.requests")}),
        ("limits.redis_url", {"redis_url": Secret("redis://a")}),
    ],
)
def test_an_address_that_only_a_variable_has_changed(path: str, addresses: dict[str, Any]) -> None:
    for old, new in [({}, addresses), (addresses, {})]:
        (mistake,) = restarts(of(**old), of(**new))
        assert str(mistake) == f"{path}: its address has changed, which needs a restart"
    assert list(restarts(of(**addresses), of(**addresses))) == []


def test_all_of_it_is_said() -> None:
    new = Settings(server=Server(workers=2, tls_cert="a", tls_key="b"))
    assert [mistake.path for mistake in restarts(of(), of(new))] == [
        "server.workers",
        "server.tls_cert",
        "server.tls_key",
    ]


def test_the_rest_does_not() -> None:
    assert list(restarts(of(), of(Settings(server=Server(drain_s=1, header_hold_s=2, max_body_bytes=3))))) == []


def test_the_documentation_names_them_all() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text()
    (paragraph,) = (each for each in page.split("\n\n") if each.startswith("A [reload]"))
    named = set(re.findall(r"`(\w+\.\w+)`", paragraph))
    assert named == {f"{table}.{key}" for table, keys in KEYS.items() for key in keys}
