"""What fuzzing starts from: recorded traffic where it is at hand, else two small answers.

Each seed is given as a list of JSON texts, the events of a stream or the one text of a body, so that the generator can
change the inside of one; `joined` makes a target's input of it.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from fuzz import http1_client, http1_server
from tests.recordings.events import data_of
from tests.recordings.exchange import WIRES
from tests.shared import exchanges

MAX_SEEDS = 60
MAX_BYTES = 16 * 1024

HTTP1 = {
    "http1-server-parser": http1_server.SEEDS,
    "http1-server-connection": http1_server.SEEDS,
    "http1-client-parser": http1_client.SEEDS,
    "http1-client-connection": http1_client.SEEDS,
}
"""Targets that are no JSON, and their seeds."""

_FALLBACK = (
    '{"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}',
    '{"error": {"message": "no", "type": "t", "code": 1}}',
)


def seeds(target: str) -> list[list[str]]:
    """For the target of this name."""
    if target in HTTP1:
        return [[text] for text in HTTP1[target]]
    wire, _, kind = target.rpartition("-")
    found = (_texts(kind, recorded) for recorded in _recorded() if not wire or WIRES[recorded["provider"]] == wire)
    small = (texts for texts in found if texts and sum(map(len, texts)) <= MAX_BYTES)
    return list(islice(small, MAX_SEEDS)) or [list(_FALLBACK)]


def joined(target: str, texts: Sequence[str]) -> bytes:
    """The input for `target`: a byte for its choices, then events, or a body."""
    if target == "request" or target.endswith("-body"):
        return texts[0].encode()
    if target.endswith("-error") or target in HTTP1:
        return b"\0" + texts[0].encode()
    return b"\0" + "".join(f"data: {text}\n\n" for text in texts).encode()


def _recorded() -> Iterator[dict[str, Any]]:
    yield from exchanges("documented")
    yield from exchanges("recordings")


def _texts(kind: str, recorded: dict[str, Any]) -> list[str]:
    response = recorded["response"]
    if kind == "request":
        return [json.dumps(recorded["request"]["body"])]
    if kind in {"sse", "stream"}:
        return data_of(response["raw"]) if "raw" in response else []
    wanted = response["status"] >= 300 if kind == "error" else response["status"] < 300
    return [json.dumps(response["body"])] if wanted and "body" in response else []
