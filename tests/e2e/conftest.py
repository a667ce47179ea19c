"""One gateway for all end-to-end tests: the built-in echo, and one provider that is a fake in each of three formats."""

from collections.abc import Iterator

import openai
import pytest

from tests.e2e.fake_thread import ThreadedFake
from tests.e2e.gateway_process import running_gateway
from tests.limits.redis.server import RedisServer, find_redis_server

_PROVIDER = """
[providers.fake-{wire}]
wire = "{wire}"
base_url = "{base_url}"
api_keys = ["env:FAKE_KEY"]
allow_private_network = true

[routes.{wire}]
targets = ["fake-{wire}/some-model"]
max_attempts = 1
"""


@pytest.fixture(scope="session")
def fake() -> Iterator[ThreadedFake]:
    with ThreadedFake().running() as running:
        yield running


@pytest.fixture(scope="session")
def origin(fake: ThreadedFake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    wires = ("openai", "anthropic", "gemini")
    config = "".join(_PROVIDER.format(wire=wire, base_url=fake.upstream.base_url) for wire in wires)
    with running_gateway(tmp_path_factory.mktemp("gateway"), config, {"FAKE_KEY": "sk-fake"}) as running:
        yield running


@pytest.fixture
def client(origin: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{origin}/v1", api_key="sk-client", max_retries=0) as opened:
        yield opened


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """One that may be frozen and killed."""
    server = RedisServer(find_redis_server())
    yield server
    server.close()
