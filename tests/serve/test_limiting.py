"""Where limits are kept."""

import subprocess
import sys

import pytest

from clawgw.config.load import load
from clawgw.config.mistakes import ConfigError
from clawgw.config.snapshot import Snapshot
from clawgw.limits.memory import MemoryStore
from clawgw.limits.redis.store import RedisStore
from clawgw.serve.limiting import LimitKeeper


def snapshot(store: str, url: str = "redis://localhost:1") -> Snapshot:
    text = f'[limits]\nstore = "{store}"'
    return load(text, {"REDIS_URL": url}, read_file=lambda _: pytest.fail("no file is named"))


def test_in_memory() -> None:
    keeper = LimitKeeper.of(snapshot("memory"), "i1", None)
    assert isinstance(keeper.store, MemoryStore)
    assert (keeper.degraded, keeper.refuses) == (None, False)


async def test_in_redis() -> None:
    keeper = LimitKeeper.of(snapshot("redis"), "i1", None)
    assert isinstance(keeper.store, RedisStore)
    assert keeper.degraded == "limits: Redis does not answer (NotConnected); counted on this machine meanwhile"


def test_no_url_of_a_redis_is_a_mistake() -> None:
    with pytest.raises(ConfigError) as caught:
        LimitKeeper.of(snapshot("redis", "redis://:secret@h:port"), "i1", None)
    (mistake,) = caught.value.mistakes
    assert mistake.path == "limits.redis_url"
    assert "secret" not in str(mistake)


def test_a_gateway_without_a_redis_does_not_import_what_talks_to_it() -> None:
    imports = "import sys, clawgw.serve.process, clawgw.serve.wiring"
    source = f"{imports}; print({{'redis', 'hiredis', 'asyncio'}} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", source], text=True) == "set()\n"  # noqa: S603 - our own words
