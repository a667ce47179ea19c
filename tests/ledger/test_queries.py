"""What queries read; what they answer is in `test_usage`."""

from contextlib import closing
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from clawgw.ledger.queries import figures, spans
from clawgw.ledger.question import question
from clawgw.ledger.sinks.schema import open_database


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_spans_are_the_whole_in_order_and_of_whole_units(start: int, end: int) -> None:
    parts = list(spans(start, end, [240, 10]))
    assert [moment for _, first, last in parts for moment in range(first, last)] == list(range(start, end))
    assert all(first % unit == last % unit == 0 for unit, first, last in parts if unit is not None)
    assert sum(last - first for unit, first, last in parts if unit is None) < 20


def test_requests_between_whole_hours_are_found_by_an_index(tmp_path: Path) -> None:
    query = figures(question(["model"], {"from": "2026-11-23T12:00:01Z", "to": "2026-11-23T12:00:02Z"}))
    with closing(open_database(tmp_path / "clawgw.db")) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {query.sql}", query.parameters).fetchall()
    assert "SEARCH requests USING INDEX requests_at" in plan[0][-1]


def test_what_is_not_folded_is_found_by_its_number(tmp_path: Path) -> None:
    """And not by its time, which all may be within."""
    query = figures(question(["model"], {"from": "2026-11-01", "to": "2026-12-01"}))
    with closing(open_database(tmp_path / "clawgw.db")) as connection:
        plan = [step for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {query.sql}", query.parameters)]
    assert "SEARCH requests USING INTEGER PRIMARY KEY (rowid>?)" in plan
    assert not [step for step in plan if "SCAN requests" in step or "requests_at" in step]
