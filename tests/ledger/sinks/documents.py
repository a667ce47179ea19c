"""Documents as the log has them."""

from clawgw.ledger.record import AttemptRecord, RequestRecord
from clawgw.policy import Target
from tests.ledger.records import document

AT_MS = 4_102_444_800_123
"""2100-01-01T00:00:00.123Z: a server drops what is older than the retention."""


def documents(count: int, outcome: str = "ok") -> list[dict[str, object]]:
    """Final records, or with the outcome `unknown` as they are at intent."""
    return [one(f"request-{number:05}", outcome) for number in range(count)]


def one(request_id: str, outcome: str = "ok", at_ms: int = AT_MS) -> dict[str, object]:
    return document(
        RequestRecord(
            request_id=request_id,
            at_ms=at_ms,
            endpoint="/v1/chat/completions",
            outcome=outcome,  # type: ignore[arg-type]  # one of the four
            status=200,
            config_version="0123456789ab",
            duration_ms=12.5,
            client_request_id="mine",
            key="alice",
            labels={"team": "search"},
            metadata={"a.b": "dots", "$c": "and dollars"},
            provider="openai",
            model="gpt-6-luna",
            prompt_tokens=7,
            cost_pico=250_000,
            attempts=[
                AttemptRecord(
                    target=Target("openai", "gpt-6-luna"),
                    trigger="primary",
                    started_ms=1.0,
                    ended_ms=12.0,
                    outcome="won",
                    status=200,
                )
            ],
        )
    )
