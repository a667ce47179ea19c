"""The record as data, the same for every sink: what `ledger.record` holds, under the names that the log shows. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from clawgw.ledger.record import AttemptRecord, Bodies, Opening, RequestRecord
from clawgw.routing.money import dollars

Document = Mapping[str, Any]
"""A record with all its fields.

`at` is ISO 8601 in UTC to the millisecond, an attempt's `target` is `provider/model`; costs are there in USD and,
exactly, in pico-dollars. Where bodies are to be kept, `bodies` tells what has become of them; what they say is in
`request_body` and `response_body`.
"""

BODIES = ("bodies", "request_body", "response_body")
"""The fields that only records with bodies have. `bodies` is `kept` or `dropped`."""
MAX_INTEGER = 2**63 - 1
"""As far as the integers of every store go."""


def begins(known: Opening | RequestRecord) -> bytes:
    """The JSON of what is known when a request begins; with `finished` or `unfinished` it is a whole document."""
    return orjson.dumps(
        {
            "request_id": known.request_id,
            "client_request_id": known.client_request_id,
            "at": iso_utc(known.at_ms),
            "key": known.key,
            "labels": known.labels,
            "user": known.user,
            "metadata": known.metadata,
            "endpoint": known.endpoint,
            "stream": known.stream,
            "config_version": known.config_version,
        }
    )


def unfinished(begun: bytes) -> bytes:
    """The document of a request whose outcome is unknown: nothing is told that comes after its beginning."""
    return begun[:-1] + _UNKNOWN_END


def finished(begun: bytes, record: RequestRecord) -> bytes:
    """The document of a record. `begun` may have been made when the request began."""
    return joined(begun, _dumped(_ending(record)))


def joined(fields: bytes, more: bytes) -> bytes:
    """One JSON object of two, neither of them empty."""
    return fields[:-1] + b"," + more[1:]


def texts(bodies: Bodies) -> bytes:
    """The JSON of their own fields, beside those of the document."""
    return orjson.dumps({"request_body": bodies.request, "response_body": bodies.response})


def without_bodies(document: Document) -> Document:
    """A document whose bodies are dropped."""
    return {name: value for name, value in document.items() if name not in BODIES} | {"bodies": "dropped"}


def iso_utc(at_ms: int) -> str:
    """Milliseconds since the epoch as ISO 8601: `2026-11-23T13:15:36.042Z`."""
    return f"{_second(at_ms // 1000)}.{at_ms % 1000:03}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    """A second is asked for by all its requests."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def epoch_ms(at: str) -> int:
    """What `iso_utc` was given."""
    return round(datetime.fromisoformat(at).timestamp() * 1000)


def _ending(record: RequestRecord) -> dict[str, Any]:
    """What only its end tells of a request."""
    cost_pico, bodies = record.cost_pico, record.bodies
    fields: dict[str, Any] = {
        "route": record.route,
        "outcome": record.outcome,
        "status": record.status,
        "error_code": record.error_code,
        "provider": record.provider,
        "model": record.model,
        "finish_reason": record.finish_reason,
        "prompt_tokens": record.prompt_tokens,
        "cached_tokens": record.cached_tokens,
        "completion_tokens": record.completion_tokens,
        "reasoning_tokens": record.reasoning_tokens,
        "usage_source": record.usage_source,
        "cost_usd": None if cost_pico is None else dollars(cost_pico),
        "cost_pico": cost_pico,
        "cache": record.cache,
        "first_token_ms": _rounded(record.first_token_ms),
        "duration_ms": _rounded(record.duration_ms),
        "attempts": [_attempt(attempt) for attempt in record.attempts],
    }
    if bodies is not None:
        fields["bodies"] = "dropped" if bodies.dropped else "kept"
    return fields


def _attempt(attempt: AttemptRecord) -> dict[str, Any]:
    target, cost_pico = attempt.target, attempt.cost_pico
    return {
        "target": f"{target.provider}/{target.model}",
        "trigger": attempt.trigger,
        "started_ms": _rounded(attempt.started_ms),
        "first_token_ms": _rounded(attempt.first_token_ms),
        "ended_ms": _rounded(attempt.ended_ms),
        "outcome": attempt.outcome,
        "status": attempt.status,
        "error_code": attempt.error_code,
        "prompt_tokens": attempt.prompt_tokens,
        "completion_tokens": attempt.completion_tokens,
        "usage_source": attempt.usage_source,
        "cost_usd": None if cost_pico is None else dollars(cost_pico),
        "cost_pico": cost_pico,
        "provider_key": attempt.provider_key,
    }


def _rounded(ms: float | None) -> float | None:
    """To the microsecond; `round` takes three times as long to do it for any number."""
    return None if ms is None else int(ms * 1000 + 0.5) / 1000


def _dumped(fields: Mapping[str, Any]) -> bytes:
    """As JSON. Only where an integer has more than 53 bits does anybody look for one that no store takes."""
    try:
        return orjson.dumps(fields, option=orjson.OPT_STRICT_INTEGER)
    except orjson.JSONEncodeError:
        return orjson.dumps(_capped(fields))


def _capped(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _capped_value(value) for name, value in fields.items()}


def _capped_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_capped(attempt) for attempt in value]
    return min(value, MAX_INTEGER) if isinstance(value, int) else value


_UNKNOWN_END = joined(
    b"}", orjson.dumps(dict.fromkeys(_ending(RequestRecord("", 0, "", ""))) | {"outcome": "unknown", "attempts": []})
)
