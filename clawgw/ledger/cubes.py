"""Sums of requests by the hour, day and week: which there are, and what they are sums of. Pure.

A cube has a row for each hour, day or week and each combination of its dimensions that occurred: sums, and a histogram
of latencies. `ledger.rollup` keeps them.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from clawgw.ledger.histogram import LATENCIES

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

TIMES: Final[Mapping[str, int]] = {"hour": HOUR_MS, "day": DAY_MS, "week": 7 * DAY_MS}
"""The columns that hold when a request came, each counting from the Unix epoch, and their units in ms."""

DIMENSIONS: Final[Mapping[str, str]] = {
    "key": "",
    "user": "",
    "route": "",
    "provider": "",
    "model": "",
    "labels": "{}",
    "metadata": "{}",
}
"""Columns by which requests are told apart, and what stands for NULL, which no key of a table may hold."""

MEASURES: Final[Mapping[str, str]] = {
    "requests": "1",
    "errors": "outcome = 'error'",
    "cancelled": "outcome = 'cancelled'",
    "cache_hits": "cache IS 'hit'",
    "prompt_tokens": "min(coalesce(prompt_tokens, 0), 1000000000000)",
    "cached_tokens": "min(coalesce(cached_tokens, 0), 1000000000000)",
    "completion_tokens": "min(coalesce(completion_tokens, 0), 1000000000000)",
    "reasoning_tokens": "min(coalesce(reasoning_tokens, 0), 1000000000000)",
    "priced_requests": "cost_pico IS NOT NULL",
    "cost_pico": "min(coalesce(cost_pico, 0), 1000000000000000)",
}
"""What is summed, each with what one request adds: at most 10¹² tokens and 1000 USD, so that nonsense from an upstream
cannot make the sums overflow.
"""

NOTED: Final = (
    *("at_ms", *DIMENSIONS, "outcome", "cache"),
    *("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens", "cost_pico", *LATENCIES),
)
"""The columns of `requests` that count here."""


@frozen
class Cube:
    """A table of sums. `time` is one of `TIMES`."""

    name: str
    time: str
    dimensions: Sequence[str]

    @property
    def keys(self) -> str:
        """What tells its rows apart."""
        return ", ".join((self.time, *self.dimensions))


TARGET: Final = ("route", "provider", "model")

CUBES: Final = (
    Cube("usage_days", "day", ("key", "labels")),
    Cube("usage_hours", "hour", ("key", "labels")),
    Cube("usage_target_days", "day", TARGET),
    Cube("usage_key_target_days", "day", ("key", "labels", *TARGET)),
    Cube("usage_target_hours", "hour", TARGET),
    Cube("usage_key_target_hours", "hour", ("key", "labels", *TARGET)),
    Cube("usage_user_weeks", "week", ("key", "labels", "user", "route")),
    Cube("usage_user_days", "day", ("key", "labels", "user", "route")),
    Cube("usage_user_model_weeks", "week", ("key", "user", "provider", "model")),
    Cube("usage_user_model_days", "day", ("key", "user", "provider", "model")),
    Cube("usage_metadata_days", "day", ("key", "labels", "metadata")),
    Cube("usage_metadata_hours", "hour", ("metadata",)),
    Cube("usage_metadata_target_days", "day", ("metadata", *TARGET)),
)
"""All of them; of two that can answer a question, the earlier one has fewer rows."""


SUMS: Final = ", ".join((*(f"sum({name}) AS {name}" for name in MEASURES), "histogram(sign, latencies) AS latencies"))
"""What rows come to, as expressions of a SELECT."""


def cube_rows(cube: Cube) -> str:
    """A cube as a query with all that `SUMS` needs."""
    return f"(SELECT *, 1 AS sign FROM {cube.name})"  # noqa: S608 - a name of this module


def changed_rows(table: str, condition: str = "true") -> str:
    """Of `requests` or `usage_changes` those that meet a condition, likewise, with each cube's columns."""
    sign = "sign" if table == "usage_changes" else "1"
    columns = (
        *(f"{sign} AS sign", "at_ms"),
        *(f"at_ms / {unit} AS {name}" for name, unit in TIMES.items()),
        *(f"coalesce({name}, '{none}') AS {name}" for name, none in DIMENSIONS.items()),
        *(f"{sign} * ({each}) AS {name}" for name, each in MEASURES.items()),
        f"histogram_of({', '.join(LATENCIES)}) AS latencies",
    )
    return f"(SELECT {', '.join(columns)} FROM {table} WHERE {condition})"  # noqa: S608 - names of these modules only
