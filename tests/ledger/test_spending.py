import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawgw.ledger.journal.journal import Journal
from clawgw.ledger.journal.spool import Spool
from clawgw.ledger.record import AttemptRecord, Opening, RequestRecord
from clawgw.ledger.sinks.schema import open_database
from clawgw.ledger.sinks.sqlite import Database, SqliteSink, prune
from clawgw.ledger.spending import Charge, Spender, charges, spent_since
from clawgw.ledger.spent import spending
from clawgw.policy import Target
from tests.ledger.records import begun, document, ended, rows

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
FEBRUARY_MS = 4_105_123_200_000
"""2100-02-01T00:00:00Z."""
NOW_MS = FEBRUARY_MS + DAY_MS + 90 * 60_000
WINDOWS = (FEBRUARY_MS, FEBRUARY_MS + DAY_MS, FEBRUARY_MS + DAY_MS + HOUR_MS)
"""The month, the day and the hour that `NOW_MS` is in."""


def attempt(target: str = "openai/gpt-6", pico: int | None = 0, started_ms: float = 0.5, key: str | None = None) -> Any:
    provider, _, model = target.partition("/")
    asked = Target(provider, model)
    return AttemptRecord(asked, "primary", started_ms, 900.0, "won", cost_pico=pico, provider_key=key)


def whole(request_id: str, at_ms: int, attempts: Iterable[AttemptRecord], **more: Any) -> RequestRecord:
    """A record whose cost is that of its attempts."""
    attempts = tuple(attempts)
    known = [each.cost_pico for each in attempts if each.cost_pico is not None]
    return ended(request_id, at_ms, attempts=attempts, cost_pico=sum(known) if known else None, **more)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clawgw.db"


def deliver(path: Path, *records: Opening | RequestRecord, now_ms: int = NOW_MS) -> None:
    with closing(SqliteSink(Database(path), now_ms=lambda: now_ms)) as sink:
        assert sink.deliver([document(record) for record in records]) == []


def since(path: Path, moment: int) -> Mapping[Spender, int]:
    with closing(open_database(path)) as connection:
        return spent_since(connection, moment)


def test_whom_a_record_is_charged() -> None:
    attempts = [attempt("one/a/b", 1_001, 0.5, "aa"), attempt("two/m", 1_000, 7_250.9), attempt("three/m", None)]
    record = whole("r", NOW_MS, attempts, key="alice", labels={"team": "x", "tier": "y"}, route="fast")
    assert [*charges(document(record))] == [
        Charge(Spender("key", "alice"), NOW_MS, 3),
        Charge(Spender("label", "team:x"), NOW_MS, 3),
        Charge(Spender("label", "tier:y"), NOW_MS, 3),
        Charge(Spender("route", "fast"), NOW_MS, 3),
        Charge(Spender("provider", "one"), NOW_MS, 2),
        Charge(Spender("provider_key", "one/aa"), NOW_MS, 2),
        Charge(Spender("provider", "two"), NOW_MS + 7_250, 1),
    ]


def test_what_has_cost_nothing_is_charged_to_nobody() -> None:
    assert [*charges(document(begun("r")))] == []
    assert [*charges(document(whole("r", NOW_MS, [attempt(pico=0)], key="alice")))] == []


def test_a_record_of_an_earlier_version_tells_of_no_key() -> None:
    older = document(whole("r", NOW_MS, [attempt(pico=1_000)]))
    del older["attempts"][0]["provider_key"]
    assert [charge.spender.scope for charge in charges(older)] == ["provider"]


def test_a_record_counts_once_however_often_it_comes(path: Path) -> None:
    record = whole("r", NOW_MS, [attempt(pico=5_000)])
    deliver(path, begun("r", NOW_MS))
    deliver(path, record, record)
    deliver(path, record)
    assert since(path, WINDOWS[-1]) == {Spender("provider", "openai"): 5}


def test_what_was_spent_outlasts_its_record(path: Path) -> None:
    deliver(path, whole("r", FEBRUARY_MS, [attempt(pico=5_000)]))
    with closing(Database(path)) as database:
        prune(database, NOW_MS)
    assert rows(path, "SELECT count(*) FROM requests") == [(0,)]
    assert since(path, FEBRUARY_MS) == {Spender("provider", "openai"): 5}


@pytest.mark.parametrize(
    ("hours", "left"), [(48, (3, 2)), (49, (2, 2)), (50, (1, 2)), (62 * 24, (0, 2)), (63 * 24, (0, 1))]
)
def test_sums_go_when_no_window_can_hold_them(path: Path, hours: int, left: tuple[int, int]) -> None:
    for number, at_ms in enumerate((FEBRUARY_MS, FEBRUARY_MS + HOUR_MS, FEBRUARY_MS + DAY_MS)):
        deliver(path, whole(f"{number}", at_ms, [attempt(pico=5_000)]), now_ms=FEBRUARY_MS)
    deliver(path, now_ms=FEBRUARY_MS + hours * HOUR_MS)
    tables = [rows(path, f"SELECT at FROM {table}") for table in ("spent_hours", "spent_days")]  # noqa: S608 - two names
    assert tuple(map(len, tables)) == left


def test_nonsense_does_not_overflow(path: Path) -> None:
    for number in range(3):
        deliver(path, whole(f"{number}", NOW_MS, [attempt(pico=2**63)]))
    assert since(path, WINDOWS[-1]) == {Spender("provider", "openai"): 4 * 10**15}


COSTS = st.none() | st.sampled_from((0, 1, 999, 1_000, 1_001, 37_500, 123_456_789))
ATTEMPTS = st.builds(
    attempt,
    st.sampled_from(("one/m", "two/m/n")),
    COSTS,
    st.sampled_from((0.25, 700.0, 45 * 60_000.75)),
    st.sampled_from((None, "aa", "bb")),
)
RECORDS = st.lists(
    st.builds(
        whole,
        st.sampled_from([f"r{number}" for number in range(12)]),
        st.integers(FEBRUARY_MS - 2 * HOUR_MS, NOW_MS),
        st.lists(ATTEMPTS, max_size=3),
        key=st.sampled_from((None, "alice", "bob")),
        labels=st.sampled_from(({}, {"team": "x"}, {"team": "x", "tier": "y"})),
        route=st.sampled_from((None, "fast")),
    ),
    unique_by=lambda record: record.request_id,
    max_size=12,
)


def expected(records: Iterable[RequestRecord], moment: int) -> Mapping[tuple[str, str], int]:
    """In the plainest words."""
    spent = defaultdict[tuple[str, str], int](int)

    def charge(scope: str, name: str, at_ms: float, pico: int | None) -> None:
        if pico and at_ms >= moment:
            spent[scope, name] += math.ceil(Fraction(pico, 1_000))

    for record in records:
        for scope, name in (("key", record.key), ("route", record.route)):
            if name is not None:
                charge(scope, name, record.at_ms, record.cost_pico)
        for name, value in record.labels.items():
            charge("label", f"{name}:{value}", record.at_ms, record.cost_pico)
        for each in record.attempts:
            at_ms = record.at_ms + each.started_ms
            charge("provider", each.target.provider, at_ms, each.cost_pico)
            if each.provider_key is not None:
                charge("provider_key", f"{each.target.provider}/{each.provider_key}", at_ms, each.cost_pico)
    return spent


@settings(deadline=None, max_examples=60)
@given(RECORDS, st.data())
def test_sums_are_those_of_all_records_wherever_they_are(records: list[RequestRecord], data: st.DataObject) -> None:
    """Some in the database, some in a journal, some in both, some twice."""
    places = st.sampled_from(({"database"}, {"journal"}, {"database", "journal"}))
    chosen = [(record, data.draw(places)) for record in records]
    with TemporaryDirectory() as folder:
        path, spool = Path(folder) / "clawgw.db", Path(folder) / "spool"
        stored = [record for record, where in chosen if "database" in where]
        split = data.draw(st.integers(0, len(stored)))
        deliver(path, *stored[:split])
        deliver(path, *stored[data.draw(st.integers(0, split)) :])
        with closing(Journal.open(spool, 2**20)) as journal:
            for record, where in chosen:
                if "journal" in where:
                    journal.request_ended(record)
            found = spending(path, Spool(spool), WINDOWS)
        assert found.since == {moment: expected(records, moment) for moment in WINDOWS}


def test_a_record_that_is_rejected_is_not_counted(path: Path) -> None:
    good = document(whole("r", NOW_MS, [attempt(pico=5_000)]))
    with closing(SqliteSink(Database(path), now_ms=lambda: NOW_MS)) as sink:
        [rejected] = sink.deliver([{**good, "request_id": "other", "endpoint": None}, good])
    assert rejected.document["request_id"] == "other"
    assert since(path, WINDOWS[-1]) == {Spender("provider", "openai"): 5}
