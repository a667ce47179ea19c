"""Answers against what Python makes of the same rows, and against figures worked out by hand."""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from clawgw.ledger import reading, rollup
from clawgw.ledger.cubes import CUBES, DAY_MS, HOUR_MS, TIMES, Cube
from clawgw.ledger.document import iso_utc
from clawgw.ledger.latencies import ERROR
from clawgw.ledger.question import Question, question
from clawgw.ledger.sinks.schema import open_database, transaction
from tests.ledger.requests_table import row, write

NOON = 1_795_435_200_000
"""2026-11-23T12:00:00Z"""
USD = 10**12
ROWS = [
    row(
        "a",
        NOON,
        key="alice",
        labels={"team": "search"},
        user="u1",
        metadata={"job": "7"},
        route="fast",
        prompt_tokens=100,
        cached_tokens=40,
        completion_tokens=10,
        reasoning_tokens=5,
        cost_pico=3 * USD // 10,
        duration_ms=100.0,
        first_token_ms=50.0,
    ),
    row(
        "b",
        NOON + HOUR_MS,
        key="alice",
        labels={"team": "ads"},
        user="u2",
        provider="groq",
        model="llama",
        prompt_tokens=1,
        completion_tokens=2,
        cost_pico=USD // 10,
        duration_ms=1000.0,
    ),
    row("c", NOON - DAY_MS, key="bob", outcome="error", status=502, provider=None, model=None, duration_ms=10.0),
    row("d", NOON, outcome="cancelled", status=499, cache="hit", duration_ms=10.0),
    row("e", NOON + 1, outcome="unknown", status=None),
]


@pytest.fixture(scope="module", params=[0, 10**9], ids=["folded", "not-folded"])
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "clawgw.db"
    connection = open_database(path)
    with transaction(connection):
        write(connection, ROWS)
        rollup.fold(connection, request.param)
    connection.close()
    return path


def ask(path: Path, *group_by: str, **single: str) -> dict[str, Any]:
    return reading.usage(path, question(group_by, single), 10).as_json()


def test_all_figures_by_hand(log: Path) -> None:
    assert ask(log) == {
        "object": "usage",
        "from": None,
        "to": None,
        "group_by": [],
        "data": [ask(log)["total"]],
        "more": 0,
        "total": {
            "requests": 5,
            "errors": 1,
            "cancelled": 1,
            "cache_hits": 1,
            "prompt_tokens": 101,
            "cached_tokens": 40,
            "completion_tokens": 12,
            "reasoning_tokens": 5,
            "total_tokens": 113,
            "priced_requests": 2,
            "cost_usd": 0.4,
            "p50_duration_ms": pytest.approx(10, rel=ERROR),
            "p95_duration_ms": pytest.approx(1000, rel=ERROR),
            "p50_first_token_ms": pytest.approx(50, rel=ERROR),
            "p95_first_token_ms": pytest.approx(50, rel=ERROR),
        },
    }


@pytest.mark.parametrize(
    ("by", "found"),
    [
        ("key", [("alice", 2, 0.4), (None, 2, None), ("bob", 1, None)]),
        ("model", [("gpt-6", 3, 0.3), ("llama", 1, 0.1), (None, 1, None)]),
        ("provider", [("openai", 3, 0.3), ("groq", 1, 0.1), (None, 1, None)]),
        ("route", [("fast", 1, 0.3), (None, 4, 0.1)]),
        ("day", [("2026-11-22", 1, None), ("2026-11-23", 4, 0.4)]),
        (
            "hour",
            [("2026-11-22T12:00:00Z", 1, None), ("2026-11-23T12:00:00Z", 3, 0.3), ("2026-11-23T13:00:00Z", 1, 0.1)],
        ),
        ("user", [("u1", 1, 0.3), ("u2", 1, 0.1), (None, 3, None)]),
        ("label:team", [("search", 1, 0.3), ("ads", 1, 0.1), (None, 3, None)]),
        ("label:other", [(None, 5, 0.4)]),
        ("metadata:job", [("7", 1, 0.3), (None, 4, 0.1)]),
    ],
)
def test_each_grouping_by_hand(log: Path, by: str, found: Sequence[tuple[str | None, int, float | None]]) -> None:
    data = ask(log, by)["data"]
    assert [(each[by], each["requests"], each["cost_usd"]) for each in data] == found


def test_several_groupings_at_once(log: Path) -> None:
    data = ask(log, "key,day", "user")["data"]
    assert [(each["key"], each["day"], each["user"], each["requests"]) for each in data] == [
        ("bob", "2026-11-22", None, 1),
        ("alice", "2026-11-23", "u1", 1),
        ("alice", "2026-11-23", "u2", 1),
        (None, "2026-11-23", None, 2),
    ]


def test_a_key_alone_and_a_span_to_the_millisecond(log: Path) -> None:
    assert ask(log, key="alice")["total"]["requests"] == 2
    assert ask(log, key="nobody")["total"]["requests"] == 0
    part = {"from": "2026-11-23T12:00:00Z", "to": "2026-11-23T12:00:00.001Z"}
    asked = ask(log, "key", **part)
    assert asked["from"] == "2026-11-23T12:00:00.000Z"
    assert asked["to"] == "2026-11-23T12:00:00.001Z"
    assert [each["key"] for each in asked["data"]] == ["alice", None]


def test_only_so_many_groups(log: Path) -> None:
    asked = ask(log, "model", limit="1")
    assert [each["model"] for each in asked["data"]] == ["gpt-6"]
    assert asked["more"] == 2
    assert asked["total"]["requests"] == 5


NASTY = ["' OR 1=1 --", '"', "\\", "$.team", "a.b", "%", "é", "team'); DELETE FROM requests; --"]


@pytest.mark.parametrize("name", NASTY)
def test_names_are_never_read_as_sql(log: Path, name: str) -> None:
    for by in (f"label:{name}", f"metadata:{name}"):
        asked = ask(log, by, "key", key=name)
        assert asked["data"] == []
        assert [each[by] for each in ask(log, by)["data"]] == [None]
    assert ask(log)["total"]["requests"] == 5


@pytest.mark.parametrize("name", NASTY)
def test_names_of_any_text_are_found(tmp_path: Path, name: str) -> None:
    connection = open_database(tmp_path / "db")
    with transaction(connection):
        write(connection, [row("a", NOON, metadata={name: name}, labels={name: name})])
    connection.close()
    for by in (f"label:{name}", f"metadata:{name}"):
        assert [each[by] for each in ask(tmp_path / "db", by)["data"]] == [name]


def test_nonsense_of_an_upstream_does_not_stop_the_sums(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "db")
    most = 2**63 - 1
    with transaction(connection):
        write(connection, [row(str(n), NOON, prompt_tokens=most, cost_pico=most, duration_ms=1e300) for n in range(9)])
        rollup.fold(connection, 0)
        write(connection, [row("last", NOON, prompt_tokens=most, cost_pico=most)])
    connection.close()
    total = ask(tmp_path / "db")["total"]
    assert (total["prompt_tokens"], total["cost_usd"]) == (10 * 10**12, 10_000.0)


# Against Python

BEGIN = NOON - 2 * DAY_MS
END = NOON + DAY_MS
INSTANTS = st.one_of(
    st.integers(BEGIN, END),
    st.sampled_from([at + off for at in range(BEGIN, END, 6 * HOUR_MS) for off in (-1, 0, 1)]),
)
NAMES = st.sampled_from([None, "a", "b"])
PAIRS = st.dictionaries(st.sampled_from(["team", "job"]), st.sampled_from(["x", "y"]))
COUNTS = st.one_of(st.none(), st.integers(0, 10**6))
MS = st.one_of(st.none(), st.floats(0.1, 600_000))
REQUESTS = st.builds(
    row,
    st.sampled_from([f"req_{number}" for number in range(12)]),
    INSTANTS,
    key=NAMES,
    labels=PAIRS,
    user=NAMES,
    metadata=PAIRS,
    route=NAMES,
    provider=NAMES,
    model=NAMES,
    outcome=st.sampled_from(["ok", "error", "cancelled", "unknown"]),
    cache=st.sampled_from([None, "hit"]),
    prompt_tokens=COUNTS,
    cached_tokens=COUNTS,
    completion_tokens=COUNTS,
    reasoning_tokens=COUNTS,
    cost_pico=st.one_of(st.none(), st.integers(0, 10**14)),
    duration_ms=MS,
    first_token_ms=MS,
)
STEPS = st.lists(
    st.one_of(REQUESTS, st.just("fold"), st.tuples(st.just("delete before"), INSTANTS)), min_size=1, max_size=40
)
GROUPINGS = ("key", "model", "provider", "route", "day", "hour", "user", "label:team", "metadata:job", "label:job")
GROUP_BY = (
    *([], ["key", "day"], ["day", "model"], ["hour", "label:team"], ["day", "user"], ["user", "model", "metadata:job"]),
    *(["hour", "model"], ["hour", "metadata:job"], ["user", "route"], ["user", "model"], ["model", "metadata:job"]),
    *([grouping] for grouping in GROUPINGS),
)
SPANS = st.one_of(
    st.none(),
    st.tuples(INSTANTS, st.sampled_from([1, HOUR_MS // 3, 7 * HOUR_MS, 30 * HOUR_MS, 60 * HOUR_MS])),
)


def value_of(each: Mapping[str, Any], by: str) -> str | None:
    kind, _, name = by.partition(":")
    found: str | None
    match kind:
        case "label":
            found = each["labels"].get(name)
        case "metadata":
            found = each["metadata"].get(name)
        case "day":
            found = iso_utc(each["at_ms"])[:10]
        case "hour":
            found = iso_utc(each["at_ms"])[:13] + ":00:00Z"
        case _:
            found = each[by]
    return found


def percentile(times: Sequence[float], share: float) -> Any:
    if not times:
        return None
    return pytest.approx(sorted(times)[ceil(share * len(times)) - 1], rel=ERROR)


def figures_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    tokens = {
        f"{kind}_tokens": sum(each[f"{kind}_tokens"] or 0 for each in rows)
        for kind in ("prompt", "cached", "completion", "reasoning")
    }
    costs = [each["cost_pico"] for each in rows if each["cost_pico"] is not None]
    times = {
        name: [each[name] for each in rows if each[name] is not None] for name in ("duration_ms", "first_token_ms")
    }
    return {
        "requests": len(rows),
        "errors": sum(each["outcome"] == "error" for each in rows),
        "cancelled": sum(each["outcome"] == "cancelled" for each in rows),
        "cache_hits": sum(each["cache"] == "hit" for each in rows),
        **tokens,
        "total_tokens": tokens["prompt_tokens"] + tokens["completion_tokens"],
        "priced_requests": len(costs),
        "cost_usd": sum(costs) / 10**12 if costs else None,
        **{
            f"p{percent}_{name}": percentile(found, percent / 100)
            for name, found in times.items()
            for percent in (50, 95)
        },
    }


def naive(rows: Sequence[Mapping[str, Any]], asked: Question) -> dict[tuple[str | None, ...], dict[str, Any]]:
    names = [str(grouping) for grouping in asked.groupings]
    groups = defaultdict(list)
    for each in rows:
        if asked.from_ms <= each["at_ms"] < asked.to_ms and asked.key in (None, each["key"]):
            groups[tuple(value_of(each, name) for name in names)].append(each)
    return {group: figures_of(found) for group, found in groups.items()}


def after(path: Path, steps: Sequence[Any]) -> list[Mapping[str, Any]]:
    """Do them, and say which rows are there in the end."""
    rows: dict[str, Mapping[str, Any]] = {}
    connection = open_database(path)
    with transaction(connection):
        for step in steps:
            match step:
                case "fold":
                    rollup.fold(connection, 0)
                case (_, before):
                    connection.execute("DELETE FROM requests WHERE at_ms < ?", [before])
                    rows = {name: each for name, each in rows.items() if each["at_ms"] >= before}
                case _:
                    write(connection, [step])
                    rows[step["request_id"]] = step
    connection.close()
    return list(rows.values())


@pytest.mark.parametrize("group_by", GROUP_BY, ids=",".join)
@settings(max_examples=20, deadline=None)
@given(STEPS, SPANS, NAMES, st.sampled_from([1, 3, 1000]))
def test_whatever_was_written_answers_are_those_of_python(
    group_by: Sequence[str], steps: Sequence[Any], span: tuple[int, int] | None, key: str | None, limit: int
) -> None:
    asked = Question(question(group_by, {}).groupings, key=key, limit=limit)
    if span is not None:
        asked = evolve(asked, from_ms=span[0], to_ms=sum(span))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clawgw.db"
        rows = after(path, steps)
        answer = reading.usage(path, asked, 10)
    expected = naive(rows, asked)
    found = {each.group: each.as_json() for each in answer.groups}
    assert found == {group: figures for group, figures in expected.items() if group in found}
    assert (len(found), answer.more) == (min(limit, len(expected)), max(len(expected) - limit, 0))
    if not {"day", "hour"} & {*group_by}:
        least = min((each["cost_usd"] or 0.0 for each in found.values()), default=0.0)
        assert all((each["cost_usd"] or 0.0) <= least for group, each in expected.items() if group not in found)
    whole = Question((), asked.from_ms, asked.to_ms, key)
    assert answer.total.as_json() == naive(rows, whole).get((), figures_of([]))


def waiting(connection: sqlite3.Connection) -> int:
    """How many changes are not in the cubes."""
    query = (
        "SELECT (SELECT count(*) FROM usage_changes)"
        " + (SELECT count(*) FROM requests WHERE number > (SELECT number FROM usage_folded))"
    )
    (count,) = connection.execute(query).fetchone()
    return int(count)


def test_a_cube_forgets_what_was_deleted(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "db")
    with transaction(connection):
        write(connection, ROWS)
        rollup.fold(connection, 0)
        connection.execute("DELETE FROM requests")
        rollup.fold(connection, 0)
    for cube in CUBES:
        count = f"SELECT count(*) FROM {cube.name}"  # noqa: S608 - a table's name
        assert connection.execute(count).fetchone() == (0,)
    assert waiting(connection) == 0
    connection.close()


def test_no_more_is_folded_at_once_than_memory_should_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollup, "_MOST_FOLDED", 2)
    connection = open_database(tmp_path / "db")
    with transaction(connection):
        write(connection, ROWS)
    left = []
    while rollup.fold(connection, 1):
        left.append(waiting(connection))
        assert ask(tmp_path / "db")["total"]["requests"] == len(ROWS)
    assert left == [3, 1]
    assert connection.execute("SELECT sum(requests) FROM usage_key_target_hours").fetchone() == (len(ROWS),)
    connection.close()


def test_few_changes_wait_for_more(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "db")
    changes, half = 0, rollup.WORTH_FOLDING // 2
    for more in (1, half - 1, half - 1, 1, 1):
        with transaction(connection):
            write(connection, [row(str(number), NOON) for number in range(changes, changes + more)])
            rollup.fold(connection)
        changes += more
        assert waiting(connection) == changes % rollup.WORTH_FOLDING
    assert changes == rollup.WORTH_FOLDING + 1
    connection.close()


# What is made of what


def requests_in(connection: sqlite3.Connection) -> dict[str, int]:
    """How many each cube has."""
    counts = (connection.execute(f"SELECT coalesce(sum(requests), 0) FROM {cube.name}").fetchone() for cube in CUBES)  # noqa: S608 - a table's name
    return dict(zip([cube.name for cube in CUBES], (count for (count,) in counts), strict=True))


def over_of(cube: Cube, latest_ms: int, times: Sequence[int]) -> int:
    """How many of these times a cube should have: all, or those before the unit of its source that is not over."""
    if cube.source is None:
        return len(times)
    unit = TIMES[cube.source.time]
    return sum(time // unit < latest_ms // unit for time in times)


@pytest.mark.parametrize("cube", CUBES, ids=lambda cube: cube.name)
def test_a_cube_is_made_of_one_that_comes_later_and_tells_more(cube: Cube) -> None:
    if cube.source is not None:
        assert cube.source in CUBES[CUBES.index(cube) :]
        assert {*cube.dimensions} <= {*cube.source.dimensions}
        assert TIMES[cube.time] % TIMES[cube.source.time] == 0


def test_cubes_that_are_made_of_others_have_what_is_over_also_what_comes_late(tmp_path: Path) -> None:
    """Noon, the next hour, quarter, day and week; and then something for each of them, long after."""
    times = [NOON, NOON + HOUR_MS, NOON + 6 * HOUR_MS, NOON + DAY_MS, NOON + 7 * DAY_MS]
    connection = open_database(tmp_path / "db")
    for number, latest in enumerate(times):
        with transaction(connection):
            write(connection, [row(f"soon {number}", latest)])
            rollup.fold(connection, 0)
        written = times[: number + 1]
        assert requests_in(connection) == {cube.name: over_of(cube, latest, written) for cube in CUBES}
    with transaction(connection):
        write(connection, [row(f"late {number}", time + 1) for number, time in enumerate(times)])
        rollup.fold(connection, 0)
    assert requests_in(connection) == {cube.name: over_of(cube, times[-1], 2 * times) for cube in CUBES}
    connection.close()
    assert [each["requests"] for each in ask(tmp_path / "db", "day")["data"]] == [6, 2, 2]


def test_what_was_folded_when_the_process_died_is_folded_again_and_once(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "db")) as connection, transaction(connection):
        write(connection, ROWS)
    for _ in range(2):
        with closing(open_database(tmp_path / "db")) as dying:
            dying.execute("BEGIN")
            rollup.fold(dying, 0)
            assert waiting(dying) == 0
    with closing(open_database(tmp_path / "db")) as connection:
        assert waiting(connection) == len(ROWS)
        rollup.fold(connection, 0)
        assert connection.execute("SELECT sum(requests) FROM usage_metadata_hours").fetchone() == (len(ROWS),)
    assert ask(tmp_path / "db", "user")["total"]["requests"] == len(ROWS)


def test_a_clock_that_was_wrong_once_costs_only_time(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "db")
    for number, at_ms in enumerate((NOON + 10**12, NOON, NOON + DAY_MS)):
        with transaction(connection):
            write(connection, [row(str(number), at_ms)])
            rollup.fold(connection, 0)
    connection.close()
    days = ask(tmp_path / "db", "day")["data"]
    assert [(each["day"], each["requests"]) for each in days] == [
        ("2026-11-23", 1),
        ("2026-11-24", 1),
        ("2058-08-01", 1),
    ]


def test_what_comes_after_all_was_deleted_counts(tmp_path: Path) -> None:
    """It has the numbers of what was there."""
    connection = open_database(tmp_path / "db")
    with transaction(connection):
        write(connection, ROWS)
        rollup.fold(connection, 0)
        connection.execute("DELETE FROM requests")
        write(connection, ROWS[:2])
    for folding in (False, True):
        if folding:
            rollup.fold(connection, 0)
        assert ask(tmp_path / "db", "user")["total"]["requests"] == 2
    connection.close()


def test_a_file_made_smaller_tells_the_same(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "db")
    with transaction(connection):
        write(connection, ROWS[:3])
        rollup.fold(connection, 0)
        connection.execute("DELETE FROM requests WHERE request_id = 'a'")
        write(connection, ROWS[3:])
    before = ask(tmp_path / "db", "key", "user")
    connection.execute("VACUUM")
    assert ask(tmp_path / "db", "key", "user") == before
    rollup.fold(connection, 0)
    assert ask(tmp_path / "db", "key", "user") == before
    assert before["total"]["requests"] == 4
    connection.close()


def test_groups_are_named_as_they_were_asked_for(log: Path) -> None:
    assert ask(log, "label:team", "hour")["group_by"] == ["label:team", "hour"]
