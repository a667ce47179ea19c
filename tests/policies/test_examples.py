"""What holds for every example: it is as its docstring configures it, it stays in its bounds, and it is pure.

An example is a policy of routes or a quota: its docstring configures the one or the other.
"""

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

from clawgw.config.tables.routes import Policies, Route
from clawgw.policy import RequestFacts, TargetView
from clawgw.testing import check_charges, check_plan, facts, load_policy, view


def configured(file: Path) -> dict[str, Any]:
    """The configuration in a policy's docstring: the lines that are indented."""
    docstring = ast.get_docstring(ast.parse(file.read_text())) or ""
    lines = [line.strip() for line in docstring.splitlines() if line.startswith("    ")]
    return tomllib.loads("\n".join(lines))


def route_of(file: Path) -> dict[str, Any]:
    (route,) = configured(file)["routes"].values()
    assert isinstance(route, dict)
    return route


EXAMPLES = sorted((Path(__file__).parents[2] / "policies").glob("*.py"))
ROUTINGS = [file for file in EXAMPLES if configured(file).keys() == {"routes"}]
QUOTAS = [file for file in EXAMPLES if configured(file).keys() == {"policies"}]


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


every_example = pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
every_routing = pytest.mark.parametrize("file", ROUTINGS, ids=lambda file: file.stem)
every_quota = pytest.mark.parametrize("file", QUOTAS, ids=lambda file: file.stem)


def test_there_are_examples() -> None:
    assert len(ROUTINGS) >= 4
    assert len(QUOTAS) >= 2
    assert len(ROUTINGS) + len(QUOTAS) == len(EXAMPLES)


@every_example
def test_it_imports_only_the_words_of_policies_and_the_standard_library(file: Path) -> None:
    foreign = {name for name in imports(file) if name.partition(".")[0] not in sys.stdlib_module_names}
    assert foreign == {"clawgw.policy"}


@every_routing
def test_its_docstring_configures_it(file: Path) -> None:
    route = route_of(file)
    Route(**route)
    assert route["policy"] == f"{file.stem}:route"


@every_quota
def test_its_docstring_configures_the_quota(file: Path) -> None:
    rules = configured(file)["policies"]
    Policies(**rules)
    assert rules["quota"] == [f"{file.stem}:quota"]


known_facts = st.builds(
    facts,
    user=st.none() | st.text(max_size=5),
    key=st.none() | st.text(max_size=5),
    labels=st.dictionaries(st.sampled_from(["team", "other"]), st.sampled_from(["search", "ads", "new", ""])),
    tools=st.integers(0, 2),
    metadata=st.dictionaries(st.sampled_from(["quality", "user_id"]), st.sampled_from(["high", "low"])),
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


@every_routing
@given(request_facts=known_facts, data=st.data())
def test_its_plans_can_be_run_and_depend_on_nothing_else(
    file: Path, request_facts: RequestFacts, data: st.DataObject
) -> None:
    example = route_of(file)
    views = data.draw(views_of(example["targets"]))
    plan = load_policy(file)(request_facts, views, example["options"])
    check_plan(plan, views)
    assert len({attempt.target for attempt in plan.attempts}) == len(plan.attempts)
    assert plan.reason
    assert load_policy(file)(evolve(request_facts), list(views), example["options"]) == plan


@every_quota
@given(request_facts=known_facts)
def test_its_charges_can_be_taken_and_depend_on_nothing_else(file: Path, request_facts: RequestFacts) -> None:
    options = configured(file)["policies"]["options"]
    charges = load_policy(file, "quota")(request_facts, options)
    check_charges(charges)
    assert load_policy(file, "quota")(evolve(request_facts), options) == charges
