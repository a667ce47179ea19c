"""Fuzzing by hypothesis: any bytes, any JSON, and recorded traffic with one piece of its inside exchanged."""

import json
import operator
import time
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.seeds import HTTP1, joined, seeds
from fuzz.targets import TARGETS
from tests.http1.answers_grammar import answers, mutated
from tests.http1.requests_grammar import streams

ROUND = 200
"""Executions between two looks at the clock."""

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def run(target: str, seconds: float) -> int:
    """Fuzz until the time is up; the number of executions. What the target raises is shown by hypothesis."""
    until, executions = time.monotonic() + seconds, 0
    check = TARGETS[target]

    @settings(max_examples=ROUND, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(inputs(target))
    def one_round(data: bytes) -> None:
        nonlocal executions
        executions += 1
        check(data)

    while time.monotonic() < until:
        one_round()
    return executions


def inputs(target: str) -> st.SearchStrategy[bytes]:
    """Inputs for a target."""
    if target in HTTP1:
        heard = streams() if target.startswith("http1-server") else answers() | mutated()
        return st.binary(max_size=200) | st.builds(operator.add, st.binary(min_size=1, max_size=1), heard)
    known = seeds(target)
    # By number: a strategy shows itself in reports, and would show every seed.
    one = st.integers(0, len(known) - 1).map(known.__getitem__)
    changed = st.builds(_with_change, one, st.lists(st.integers(0, 50), min_size=1), JSON_VALUES)
    made = st.lists(JSON_VALUES.map(json.dumps), min_size=1, max_size=4)
    return st.binary(max_size=200) | st.builds(joined, st.just(target), made | changed)


def _with_change(texts: list[str], way: list[int], value: Any) -> list[str]:
    """One of the texts with one value inside it exchanged; `way` says which, a turn at every level."""
    chosen = way[0] % len(texts)
    try:
        content = json.loads(texts[chosen])
    except ValueError:
        return texts
    changed = json.dumps(_exchanged(content, way[1:], value))
    return [*texts[:chosen], changed, *texts[chosen + 1 :]]


def _exchanged(content: Any, way: list[int], value: Any) -> Any:
    if not way or not isinstance(content, dict | list) or not content:
        return value
    keys = list(content) if isinstance(content, dict) else list(range(len(content)))
    key = keys[way[0] % len(keys)]
    inside = _exchanged(content[key], way[1:], value)
    if isinstance(content, dict):
        return {**content, key: inside}
    return [*content[:key], inside, *content[key + 1 :]]
