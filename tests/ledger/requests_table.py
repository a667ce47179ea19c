"""A database of the log as the sink makes it, and rows to put into it."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from clawgw.ledger.document import iso_utc

PLAIN: Mapping[str, Any] = {
    "request_id": "req_1",
    "client_request_id": None,
    "at_ms": 0,
    "key": None,
    "labels": {},
    "user": None,
    "metadata": {},
    "endpoint": "chat.completions",
    "route": None,
    "stream": 0,
    "config_version": "abc",
    "outcome": "ok",
    "status": 200,
    "error_code": None,
    "provider": "openai",
    "model": "gpt-6",
    "finish_reason": "stop",
    "prompt_tokens": None,
    "cached_tokens": None,
    "completion_tokens": None,
    "reasoning_tokens": None,
    "usage_source": None,
    "cost_usd": None,
    "cost_pico": None,
    "cache": None,
    "first_token_ms": None,
    "duration_ms": None,
    "attempts": [],
}


def row(request_id: str, at_ms: int, **fields: Any) -> dict[str, Any]:
    """A request."""
    unknown = fields.keys() - PLAIN.keys()
    assert not unknown
    return {**PLAIN, "request_id": request_id, "at_ms": at_ms, **fields}


def write(connection: sqlite3.Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """The last one with an id counts."""
    for each in rows:
        columns = {**each, "at": iso_utc(each["at_ms"])}
        values = [json.dumps(value) if isinstance(value, dict | list) else value for value in columns.values()]
        connection.execute(
            f"INSERT INTO requests ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - the columns of PLAIN
            f" ON CONFLICT (request_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in columns)}",
            values,
        )
