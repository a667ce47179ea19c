"""docs/guide.md is true: its examples run, its configurations load, its errors and metrics are those of the code."""

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from clawgw import errors
from clawgw.config.load import load
from clawgw.policy import Target
from clawgw.routing.catalogue import bundled
from clawgw.routing.outcome import final_error, stream_error
from clawgw.routing.resolve import resolve
from clawgw.wire.failure import Failure, Kind
from tests.docs.markdown import ROOT, assert_says, blocks, broken_links, examples, python, quoted, shell, tables
from tests.e2e.gateway_process import running_gateway

GUIDE = ROOT / "docs" / "guide.md"
BLOCKS = blocks(GUIDE.read_text())
TABLES = tables(GUIDE.read_text())
SHELL = list(examples(BLOCKS, "sh"))
PYTHON = list(examples(BLOCKS, "python"))
(CONFIG,) = (block.text for block in BLOCKS if block.mark == "config")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("guide")


@pytest.fixture(scope="module")
def origin(folder: Path) -> Iterator[str]:
    with running_gateway(folder, CONFIG) as running:
        yield running


# Examples


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("example", SHELL, ids=[f"line-{block.line}" for block, _ in SHELL])
def test_shell_example(example: tuple[Any, str], origin: str, folder: Path) -> None:
    block, prints = example
    done = shell(block.text, origin, folder)
    assert done.returncode == int(block.mark.partition(": ")[2] or 0), done.stderr
    assert prints
    assert_says(done.stdout, prints)


def test_python_examples_one_after_the_other(origin: str, folder: Path) -> None:
    script = "\n".join(block.text for block, _ in PYTHON)
    assert python(script, origin, folder).splitlines() == [line for _, prints in PYTHON for line in prints.splitlines()]


TOML = [block for block in BLOCKS if block.language == "toml"]


@pytest.mark.parametrize("block", TOML, ids=[f"line-{block.line}" for block in TOML])
def test_configuration_loads_and_acts(block: Any) -> None:
    snapshot = load(block.text, {}, read_file=lambda _: b"what-is-in-a-file")
    assert [warning for warning in snapshot.warnings if "no effect" in warning] == []


def test_no_link_is_broken() -> None:
    assert broken_links(GUIDE) == []


def test_it_points_to_the_page_on_policies_if_there_is_one() -> None:
    assert ("policies.md" in GUIDE.read_text()) == (GUIDE.parent / "policies.md").exists()


# Names


@pytest.mark.parametrize("row", TABLES["names"].rows, ids=lambda row: row[0])
def test_name_means_these_targets(row: Sequence[str]) -> None:
    (config,) = (block.text for block in TOML if block.mark == "names")
    keys = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GROQ_API_KEY", "OPENROUTER_API_KEY")
    snapshot = load(config, dict.fromkeys(keys, "sk-test"), read_file=Path.read_bytes)
    resolved = resolve(quoted(row[0])[0], "chat.completions", snapshot, bundled())
    assert [str(target) for target in resolved.targets] == quoted(row[1])


# Errors, metrics

SOMEWHERE = Target("a", "b")


def every_error() -> Iterator[errors.GatewayError]:
    kinds = [error for error in vars(errors).values() if isinstance(error, type)]
    for kind in kinds:
        if issubclass(kind, errors.GatewayError) and kind not in (errors.GatewayError, errors.ClientClosed):
            yield kind("x")
    yield from (final_error([(SOMEWHERE, Failure(kind, "x"))]) for kind in Kind)


def test_every_error_is_in_the_table_and_no_other() -> None:
    documented = {
        (int(row[0]), quoted(row[1])[0], quoted(row[2])[0] if quoted(row[2]) else None) for row in TABLES["errors"].rows
    }
    assert documented == {(error.status, error.type, error.code) for error in every_error()}


def test_every_code_of_a_broken_stream_is_in_the_table_and_no_other() -> None:
    documented = {code for row in TABLES["stream-errors"].rows for code in quoted(row[0])}
    broken = [stream_error(SOMEWHERE, Failure(kind, "x")) for kind in Kind]
    assert documented == {error.code for error in broken}
    assert {error.type for error in broken} == {"upstream_error"}


@pytest.fixture(scope="module")
def exposition(origin: str) -> str:
    """The metrics after an answer."""
    chat = b'{"model": "echo/echo", "messages": [{"role": "user", "content": "Hi"}]}'
    with urlopen(f"{origin}/v1/chat/completions", chat) as answer:  # noqa: S310 - the gateway of this test
        assert answer.status == 200
    with urlopen(f"{origin}/metrics") as answer:  # noqa: S310 - the gateway of this test
        return str(answer.read().decode())


@pytest.mark.parametrize("row", TABLES["metrics"].rows, ids=lambda row: row[0])
def test_metric_has_these_labels(row: Sequence[str], exposition: str) -> None:
    (name,) = quoted(row[0])
    samples = re.findall(rf"^{name}(?:_count)?(?:\{{(.*)\}})? ", exposition, re.MULTILINE)
    assert samples
    labels = set(row[1].split(", ")) - {""}
    assert {frozenset(re.findall(r'(\w+)="', sample)) for sample in samples} == {frozenset(labels)}
