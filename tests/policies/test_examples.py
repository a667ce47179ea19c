"""What holds for every example: it is as its docstring configures it, it stays in its bounds, and it is pure."""

import ast
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from clawgw.config.settings import Route
from clawgw.policy import RequestFacts, TargetView
from clawgw.testing import check_plan, facts, load_policy, view

EXAMPLES = sorted((Path(__file__).parents[2] / "policies").glob("*.py"))


def configured(file: Path) -> dict[str, Any]:
    """The route in a policy's docstring: the lines that are indented."""
    docstring = ast.get_docstring(ast.parse(file.read_text())) or ""
    lines = [line.strip() for line in docstring.splitlines() if line.startswith("    ")]
    (route,) = tomllib.loads("\n".join(lines))["routes"].values()
    assert isinstance(route, dict)
    return route


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


every_example = pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 4


@every_example
def test_it_imports_only_the_words_of_policies_and_the_standard_library(file: Path) -> None:
    foreign = {name for name in imports(file) if name.partition(".")[0] not in sys.stdlib_module_names}
    assert foreign == {"clawgw.policy"}


@every_example
def test_its_docstring_configures_it(file: Path) -> None:
    route = configured(file)
    Route(**route)
    assert route["policy"] == f"{file.stem}:route"


known_facts = st.builds(
    facts,
    user=st.none() | st.text(max_size=5),
    key=st.none() | st.text(max_size=5),
    tools=st.integers(0, 2),
    metadata=st.dictionaries(st.sampled_from(["quality", "other"]), st.sampled_from(["high", "low"])),
    estimated_tokens=st.integers(0, 1_000_000),
    max_tokens=st.none() | st.integers(1, 100_000),
    now=st.floats(0, 4e9),
    random=st.floats(0, 1, exclude_max=True),
)
price = st.none() | st.floats(0, 100)


@st.composite
def views_of(draw: st.DrawFn, targets: Sequence[str]) -> list[TargetView]:
    return [
        view(
            target,
            breaker=draw(st.sampled_from(["closed", "half_open", "open"])),
            cooling_s=draw(st.sampled_from([0.0, 5.0])),
            input_price=draw(price),
            output_price=draw(price),
        )
        for target in targets
    ]


@every_example
@given(request_facts=known_facts, data=st.data())
def test_its_plans_can_be_run_and_depend_on_nothing_else(
    file: Path, request_facts: RequestFacts, data: st.DataObject
) -> None:
    example = configured(file)
    views = data.draw(views_of(example["targets"]))
    plan = load_policy(file)(request_facts, views, example["options"])
    check_plan(plan, views)
    assert len({attempt.target for attempt in plan.attempts}) == len(plan.attempts)
    assert plan.reason
    assert load_policy(file)(evolve(request_facts), list(views), example["options"]) == plan
