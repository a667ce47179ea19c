"""What questions about usage cost over a million requests, in ms, and what writing a row does, in µs of processor.

    python -m benchmarks.usage [ROWS [FILE]]

The requests are spread over 30 days, 20 keys, 10 targets, 3 routes, 30 features and 1000 users, each of one key. An
existing FILE is asked as it is.
"""

import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import combinations, islice
from pathlib import Path

import orjson
from attrs import evolve

from clawgw.ledger import reading, rollup
from clawgw.ledger.cubes import DAY_MS
from clawgw.ledger.document import iso_utc
from clawgw.ledger.question import Question, question
from clawgw.ledger.sinks.schema import open_database, transaction

START_MS = 1_790_000_000_000
SPAN_MS = 30 * DAY_MS
BATCH = 500
ROUNDS = 5
SINGLE = ("key", "model", "provider", "route", "day", "hour", "user", "label:team", "metadata:feature")
QUESTIONS = ("", *SINGLE, *(",".join(pair) for pair in combinations(SINGLE, 2)))
TARGETS = [("openai", f"gpt-{number}") for number in range(6)] + [("groq", f"llama-{number}") for number in range(4)]


def rows(count: int) -> Iterator[dict[str, object]]:
    """Made-up requests in the order of time."""
    dice = random.Random(1)  # noqa: S311 - the same data every time
    for number in range(count):
        at_ms = START_MS + SPAN_MS * number // count
        key, (provider, model) = dice.randrange(20), dice.choice(TARGETS)
        duration = dice.lognormvariate(6.5, 0.9)
        yield {
            "request_id": f"req_{number:026}",
            "at": iso_utc(at_ms),
            "at_ms": at_ms,
            "key": f"key-{key}",
            "labels": orjson.dumps({"team": f"team-{key % 4}"}).decode(),
            "user": f"user-{key}-{dice.randrange(50)}",
            "metadata": orjson.dumps({"feature": f"feature-{dice.randrange(30)}"}).decode(),
            "endpoint": "chat.completions",
            "route": dice.choice(("fast", "cheap", None)),
            "stream": 1,
            "config_version": "0123456789ab",
            "outcome": dice.choices(("ok", "error", "cancelled"), (96, 3, 1))[0],
            "status": 200,
            "provider": provider,
            "model": model,
            "prompt_tokens": dice.randrange(5000),
            "completion_tokens": dice.randrange(1000),
            "cost_pico": dice.randrange(10**10),
            "first_token_ms": duration / 4,
            "duration_ms": duration,
            "attempts": "[]",
        }


def fill(path: Path, count: int) -> None:
    """Write them as the sink does, a transaction for each batch."""
    connection = open_database(path)
    connection.execute("PRAGMA synchronous = OFF")
    folding = 0.0
    started = time.process_time()
    made = rows(count)
    while batch := tuple(islice(made, BATCH)):
        with transaction(connection):
            write(connection, batch)
            before = time.process_time()
            rollup.fold(connection)
            folding += time.process_time() - before
    taken = time.process_time() - started
    connection.close()
    print(f"{taken / count * 1e6:.0f} µs of processor a row, {folding / count * 1e6:.0f} of them for the sums")


def write(connection: sqlite3.Connection, batch: tuple[dict[str, object], ...]) -> None:
    """Insert a batch."""
    names = list(batch[0])
    statement = f"INSERT INTO requests ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - names of this module
    connection.executemany(statement, [tuple(row.values()) for row in batch])


def ask(path: Path, question: Question) -> tuple[float, float, int]:
    """The best of some rounds in ms, the same in ms of processor time, and how many groups there are."""
    taken, worked, found = [], [], 0
    for _ in range(ROUNDS):
        started, begun = time.perf_counter(), time.process_time()
        answer = reading.usage(path, question, 600)
        orjson.dumps(answer.as_json())
        found = len(answer.groups) + answer.more
        taken.append((time.perf_counter() - started) * 1000)
        worked.append((time.process_time() - begun) * 1000)
    return min(taken), min(worked), found


def report(path: Path) -> None:
    """Print what every question takes: over everything, and from within an hour to within another."""
    part = START_MS + 3 * DAY_MS + 12_345_678, START_MS + 27 * DAY_MS + 45_678_901
    print("| by | groups | 30 days: ms | of processor | 24 days and parts of two: ms | of processor |")
    print("| --- | --- | --- | --- | --- | --- |")
    for text in QUESTIONS:
        whole = question([text] if text else [], {})
        results = ask(path, whole), ask(path, evolve(whole, from_ms=part[0], to_ms=part[1]))
        shown = " | ".join(f"{best:.0f} | {worked:.0f}" for best, worked, _ in results)
        print(f"| {f'`{text}`' if text else 'nothing'} | {results[0][2]} | {shown} |")


def main() -> None:
    """Fill, then ask."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(folder) / "clawgw.db"
        if not path.exists():
            fill(path, count)
        report(path)


if __name__ == "__main__":
    main()
