"""README.md: what it tells people to run does run, and says what it says."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from clawgw.config.known import KNOWN
from clawgw.config.load import load
from tests.docs.markdown import ROOT, Block, blocks, broken_links, python, shell
from tests.e2e.gateway_process import running_gateway

README = ROOT / "README.md"
BLOCKS = blocks(README.read_text())


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A gateway as a first start makes it: no configuration, no key."""
    with running_gateway(tmp_path_factory.mktemp("readme")) as running:
        yield running


def only(language: str) -> Block:
    (block,) = (block for block in BLOCKS if block.language == language)
    return block


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curl_line_gets_an_answer(origin: str, tmp_path: Path) -> None:
    (curl,) = (block.text for block in BLOCKS if block.text.startswith("curl "))
    assert '"content":"Hello, gateway"' in shell(curl, origin, tmp_path).stdout


def test_the_official_client_gets_a_stream(origin: str, tmp_path: Path) -> None:
    assert python(only("python").text, origin, tmp_path) == "Hello, gateway"


def test_the_route_is_a_configuration() -> None:
    snapshot = load(only("toml").text, {}, read_file=Path.read_bytes)
    assert [str(target) for target in snapshot.routes["fast"].targets] == [
        "groq/openai/gpt-oss-120b",
        "openai/gpt-6-luna",
    ]


def test_it_names_every_provider_key() -> None:
    named = set(re.findall(r"`([A-Z_]+_API_KEY)`", README.read_text()))
    assert named == {known.key_variables[0] for known in KNOWN.values() if known.key_variables}


@pytest.mark.parametrize("mark", ["serve", "test"])
def test_set_up_commands_name_files_that_exist(mark: str) -> None:
    (command,) = (block.text for block in BLOCKS if block.mark == mark)
    (requirements,) = re.findall(r"-r (\S+)", command)
    assert (ROOT / requirements).is_file()
    assert "\n" not in command


def test_no_link_is_broken() -> None:
    assert broken_links(README) == []
