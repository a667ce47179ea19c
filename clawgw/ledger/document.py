"""The record as data, the same for every sink: what `ledger.record` holds, under the names that the log shows. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from clawgw.ledger.record import AttemptRecord, Bodies, RequestRecord
from clawgw.routing.prices import dollars

Document = Mapping[str, Any]
"""A record as `document` gives it."""

BODIES = ("bodies", "request_body", "response_body")
"""The fields that only records with bodies have. `bodies` is `kept` or `dropped`."""
MAX_INTEGER = 2**63 - 1
"""As far as the integers of every store go."""
_INTEGERS = ("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens", "cost_pico")
_INTEGERS_OF_ATTEMPTS = ("prompt_tokens", "completion_tokens", "cost_pico")


def document(record: RequestRecord) -> dict[str, Any]:
    """All fields, in the order in which they are shown.

    `at` is ISO 8601 in UTC to the millisecond, an attempt's `target` is `provider/model`; costs are there in USD and,
    exactly, in pico-dollars. Of a record whose outcome is unknown, nothing is told that comes after its beginning.
    Where bodies are to be kept, `bodies` tells what has become of them; what they say is in `texts`.
    """
    fields: dict[str, Any] = {
        "request_id": record.request_id,
        "client_request_id": record.client_request_id,
        "at": iso_utc(record.at_ms),
        "key": record.key,
        "labels": {**record.labels},
        "user": record.user,
        "metadata": {**record.metadata},
        "endpoint": record.endpoint,
        "route": record.route,
        "stream": record.stream,
        "config_version": record.config_version,
        "outcome": record.outcome,
    }
    fields |= {**_UNKNOWN, "attempts": []} if record.outcome == "unknown" else _ended(record)
    if record.bodies is not None:
        fields["bodies"] = "dropped" if record.bodies.dropped else "kept"
    return fields


def texts(bodies: Bodies) -> dict[str, str | None]:
    """Their own fields, beside those of `document`."""
    return {"request_body": bodies.request, "response_body": bodies.response}


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


def _ended(record: RequestRecord) -> dict[str, Any]:
    """What only its end tells of a request."""
    first_token_ms, cost_pico = record.first_token_ms, record.cost_pico
    fields = {
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
        "first_token_ms": None if first_token_ms is None else round(first_token_ms, 3),
        "duration_ms": round(record.duration_ms, 3),
        "attempts": [_attempt(attempt) for attempt in record.attempts],
    }
    _cap(fields, _INTEGERS)
    return fields


def _attempt(attempt: AttemptRecord) -> dict[str, Any]:
    target, first_token_ms, cost_pico = attempt.target, attempt.first_token_ms, attempt.cost_pico
    fields = {
        "target": f"{target.provider}/{target.model}",
        "trigger": attempt.trigger,
        "started_ms": round(attempt.started_ms, 3),
        "first_token_ms": None if first_token_ms is None else round(first_token_ms, 3),
        "ended_ms": round(attempt.ended_ms, 3),
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
    _cap(fields, _INTEGERS_OF_ATTEMPTS)
    return fields


def _cap(fields: dict[str, Any], names: Iterable[str]) -> None:
    for name in names:
        if (fields[name] or 0) > MAX_INTEGER:
            fields[name] = MAX_INTEGER


_UNKNOWN = dict.fromkeys(_ended(RequestRecord("", 0, "", "unknown", 0, "", 0.0)))
"""What is told of an end that nobody knows."""
