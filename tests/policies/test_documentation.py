"""The worked examples of docs/policies.md work."""

import re
import tomllib
from pathlib import Path

import pytest

from clawgw.cli import main
from clawgw.config.tables.routes import Policies, Route
from clawgw.testing import check_charges, check_plan, facts, load_policy, view

TEXT = (Path(__file__).parents[2] / "docs" / "policies.md").read_text()
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```python\n(.*?)```", TEXT, re.DOTALL))
SNIPPETS = re.findall(r"(?<!-->\n)```python\n(.*?)```", TEXT, re.DOTALL)
EXPLAINED = re.findall(r"<!-- explain -->\n```sh\nclawgw (.*?)\n```\n\n```\n(.*?)```", TEXT, re.DOTALL)
CONFIGURATIONS = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the page shows, as the working directory."""
    for name, source in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_has_its_files() -> None:
    assert set(FILES) == {"policies/by_size.py", "test_by_size.py", "policies/pictures.py", "test_pictures.py"}
    assert (len(SNIPPETS), len(CONFIGURATIONS)) == (1, 2)


@pytest.mark.parametrize(("file", "count"), [("test_by_size.py", 3), ("test_pictures.py", 2)])
def test_the_tests_of_an_example_pass(file: str, count: int, checkout: Path) -> None:
    names: dict[str, object] = {}
    exec(FILES[file], names)  # noqa: S102 - the page's own code
    tests = [value for name, value in names.items() if name.startswith("test_") and callable(value)]
    for test in tests:
        test()
    assert len(tests) == count


def test_the_configuration_of_the_quota_runs_it(checkout: Path) -> None:
    rules = Policies(**tomllib.loads(CONFIGURATIONS[1])["policies"])
    module, _, function = rules.quota[0].partition(":")
    quota = load_policy(checkout / "policies" / f"{module}.py", function)
    check_charges(quota(facts(images=1), rules.options))


def test_the_configuration_of_the_example_runs_it(checkout: Path) -> None:
    (table,) = tomllib.loads(CONFIGURATIONS[0])["routes"].values()
    route = Route(**table)
    module, _, function = str(route.policy).partition(":")
    targets = [view(target) for target in route.targets]
    check_plan(load_policy(checkout / "policies" / f"{module}.py", function)(facts(), targets, route.options), targets)


def test_the_example_is_explained_as_the_page_says(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ((command, expected),) = EXPLAINED
    (checkout / "gateway.toml").write_text("".join(CONFIGURATIONS))
    monkeypatch.delenv("CLAWGW_CONFIG", raising=False)
    assert main(command.split()) == 0
    lines = zip(capsys.readouterr().out.splitlines(), expected.splitlines(), strict=True)
    assert [line for line, says in lines if not re.fullmatch(re.escape(says).replace("…", ".*"), line)] == []


@pytest.mark.parametrize("source", SNIPPETS)
def test_snippets_hold_what_they_assert(source: str) -> None:
    assert "assert " in source
    exec(source, {})  # noqa: S102 - the page's own code
