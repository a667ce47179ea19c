"""Records for tests, and how to read the database."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from clawgw.ledger.record import RequestRecord

AT_MS = 1_795_439_736_042


def begun(request_id: str, at_ms: int = AT_MS) -> RequestRecord:
    return RequestRecord(request_id, at_ms, "chat.completions", "unknown", 0, "v1", 0.0)


def ended(request_id: str, at_ms: int = AT_MS, **more: Any) -> RequestRecord:
    return RequestRecord(request_id, at_ms, "chat.completions", "ok", 200, "v1", 12.5, **more)


def rows(database: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def outcomes(database: Path) -> dict[str, str]:
    """By request id, which is the table's key."""
    return dict(rows(database, "SELECT request_id, outcome FROM requests"))
