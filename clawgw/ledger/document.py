"""The record as data, the same for every sink: what `ledger.record` holds, under the names that the log shows. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from clawgw.ledger.record import AttemptRecord, Bodies, RequestRecord

Document = Mapping[str, Any]
"""A record as `document` gives it."""

BODIES = ("bodies", "request_body", "response_body")
"""The fields that only records with bodies have. `bodies` is `kept` or `dropped`."""
MAX_INTEGER = 2**63 - 1
"""As far as the integers of every store go."""


def document(record: RequestRecord) -> dict[str, Any]:
    """All fields, in the order in which they are shown.

    `at` is ISO 8601 in UTC to the millisecond, an attempt's `target` is `provider/model`; costs are there in USD and,
    exactly, in pico-dollars. Of a record whose outcome is unknown, status and duration are null. Where bodies are to be
    kept, `bodies` tells what has become of them; what they say is in `texts`.
    """
    ended = record.outcome != "unknown"
    fields = {
        "request_id": record.request_id,
        "client_request_id": record.client_request_id,
        "at": iso_utc(record.at_ms),
        "key": record.key,
        "labels": dict(record.labels),
        "user": record.user,
        "metadata": dict(record.metadata),
        "endpoint": record.endpoint,
        "route": record.route,
        "stream": record.stream,
        "config_version": record.config_version,
        "outcome": record.outcome,
        "status": record.status if ended else None,
        "error_code": record.error_code,
        "provider": record.provider,
        "model": record.model,
        "finish_reason": record.finish_reason,
        "prompt_tokens": _integer(record.prompt_tokens),
        "cached_tokens": _integer(record.cached_tokens),
        "completion_tokens": _integer(record.completion_tokens),
        "reasoning_tokens": _integer(record.reasoning_tokens),
        "usage_source": record.usage_source,
        "cost_usd": record.cost_usd,
        "cost_pico": _integer(record.cost_pico),
        "cache": record.cache,
        "first_token_ms": _ms(record.first_token_ms),
        "duration_ms": _ms(record.duration_ms) if ended else None,
        "attempts": [_attempt(attempt) for attempt in record.attempts],
    }
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
    seconds, ms = divmod(at_ms, 1000)
    return f"{_second(seconds)}.{ms:03}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    """A second is asked for by all its requests."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def epoch_ms(at: str) -> int:
    """What `iso_utc` was given."""
    return round(datetime.fromisoformat(at).timestamp() * 1000)


def _attempt(attempt: AttemptRecord) -> dict[str, Any]:
    return {
        "target": f"{attempt.target.provider}/{attempt.target.model}",
        "trigger": attempt.trigger,
        "started_ms": _ms(attempt.started_ms),
        "first_token_ms": _ms(attempt.first_token_ms),
        "ended_ms": _ms(attempt.ended_ms),
        "outcome": attempt.outcome,
        "status": attempt.status,
        "error_code": attempt.error_code,
        "prompt_tokens": _integer(attempt.prompt_tokens),
        "completion_tokens": _integer(attempt.completion_tokens),
        "usage_source": attempt.usage_source,
        "cost_usd": attempt.cost_usd,
        "cost_pico": _integer(attempt.cost_pico),
        "provider_key": attempt.provider_key,
    }


def _integer(value: int | None) -> int | None:
    return None if value is None else min(value, MAX_INTEGER)


def _ms(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
