"""Records for tests, and how to read the database."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from clawgw.ledger.document import begins, finished, unfinished
from clawgw.ledger.journal.frame import Kind, encode
from clawgw.ledger.record import Opening, RequestRecord

AT_MS = 1_795_439_736_042


def begun(request_id: str, at_ms: int = AT_MS, **more: Any) -> Opening:
    nothing: dict[str, Any] = {"client_request_id": None, "key": None, "labels": {}, "stream": False}
    fields = nothing | {"user": None, "metadata": {}} | more
    return Opening(request_id, at_ms, "chat.completions", "v1", **fields)


def ended(request_id: str, at_ms: int = AT_MS, **more: Any) -> RequestRecord:
    return RequestRecord(
        request_id, at_ms, "chat.completions", "v1", outcome="ok", status=200, duration_ms=12.5, **more
    )


def document(record: Opening | RequestRecord) -> dict[str, Any]:
    """As a sink gets it from the journal."""
    written = unfinished(begins(record))
    if isinstance(record, RequestRecord) and record.outcome != "unknown":
        written = finished(begins(record), record)
    found: dict[str, Any] = orjson.loads(written)
    return found


def frame_of(kind: Kind, fields: Mapping[str, Any], texts: Mapping[str, Any] | None = None) -> bytes:
    return encode(kind, orjson.dumps(fields), None if texts is None else orjson.dumps(texts))


def rows(database: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def outcomes(database: Path) -> dict[str, str]:
    """By request id, which is the table's key."""
    return dict(rows(database, "SELECT request_id, outcome FROM requests"))
