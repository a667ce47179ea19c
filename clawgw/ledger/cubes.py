"""Sums of requests by the hour, day and week: which there are, and what they are sums of. Pure.

A cube has a row for each unit of time and each combination of its dimensions that occurred: sums, and a histogram of
latencies. Requests are added to a few of them. The others are made of those, once a unit is over: until then their
latest rows are missing, and are found in their source. `ledger.rollup` keeps them.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Self

from attrs import evolve, frozen

from clawgw.ledger.latencies import LATENCIES

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

TIMES: Final[Mapping[str, int]] = {"hour": HOUR_MS, "quarter": 6 * HOUR_MS, "day": DAY_MS, "week": 7 * DAY_MS}
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
    """A table of sums. `time` is one of `TIMES`; `source`: what it is made of, which tells as much apart or more."""

    name: str
    time: str
    dimensions: Sequence[str]
    source: Self | None = None

    @property
    def keys(self) -> str:
        """What tells its rows apart."""
        return ", ".join((self.time, *self.dimensions))

    def of(self, name: str, time: str, *dimensions: str) -> Self:
        """A cube that is made of this one."""
        return evolve(self, name=name, time=time, dimensions=dimensions, source=self)


_CALLER: Final = ("key", "labels")
_TARGET: Final = ("route", "provider", "model")
_USER_ROUTE: Final = (*_CALLER, "user", "route")
_USER_PROVIDER: Final = ("key", "user", "provider")
_USER_MODEL: Final = (*_USER_PROVIDER, "model")
_KEY_METADATA: Final = (*_CALLER, "metadata")
_METADATA_TARGET: Final = ("metadata", *_TARGET)

_KEY_TARGET_HOURS: Final = Cube("usage_key_target_hours", "hour", (*_CALLER, *_TARGET))
_KEY_TARGET_DAYS: Final = _KEY_TARGET_HOURS.of("usage_key_target_days", "day", *_CALLER, *_TARGET)
_HOURS: Final = _KEY_TARGET_HOURS.of("usage_hours", "hour", *_CALLER)
_TARGET_HOURS: Final = _KEY_TARGET_HOURS.of("usage_target_hours", "hour", *_TARGET)
_USER_ROUTE_QUARTERS: Final = Cube("usage_user_route_quarters", "quarter", _USER_ROUTE)
_USER_ROUTE_DAYS: Final = _USER_ROUTE_QUARTERS.of("usage_user_route_days", "day", *_USER_ROUTE)
_USER_DAYS: Final = _USER_ROUTE_DAYS.of("usage_user_days", "day", *_CALLER, "user")
_USER_MODEL_QUARTERS: Final = Cube("usage_user_model_quarters", "quarter", _USER_MODEL)
_USER_MODEL_DAYS: Final = _USER_MODEL_QUARTERS.of("usage_user_model_days", "day", *_USER_MODEL)
_USER_PROVIDER_DAYS: Final = _USER_MODEL_DAYS.of("usage_user_provider_days", "day", *_USER_PROVIDER)
_KEY_METADATA_QUARTERS: Final = Cube("usage_key_metadata_quarters", "quarter", _KEY_METADATA)
_KEY_METADATA_DAYS: Final = _KEY_METADATA_QUARTERS.of("usage_key_metadata_days", "day", *_KEY_METADATA)
_METADATA_HOURS: Final = Cube("usage_metadata_hours", "hour", ("metadata",))
_METADATA_TARGET_QUARTERS: Final = Cube("usage_metadata_target_quarters", "quarter", _METADATA_TARGET)
_METADATA_TARGET_DAYS: Final = _METADATA_TARGET_QUARTERS.of("usage_metadata_target_days", "day", *_METADATA_TARGET)

CUBES: Final = (
    _HOURS.of("usage_days", "day", *_CALLER),
    _HOURS,
    _TARGET_HOURS.of("usage_target_days", "day", *_TARGET),
    _TARGET_HOURS,
    _KEY_TARGET_DAYS.of("usage_key_target_weeks", "week", *_CALLER, *_TARGET),
    _KEY_TARGET_DAYS,
    _KEY_TARGET_HOURS,
    _USER_DAYS.of("usage_user_weeks", "week", *_CALLER, "user"),
    _USER_DAYS,
    _USER_ROUTE_DAYS.of("usage_user_route_weeks", "week", *_USER_ROUTE),
    _USER_ROUTE_DAYS,
    _USER_ROUTE_QUARTERS,
    _USER_PROVIDER_DAYS.of("usage_user_provider_weeks", "week", *_USER_PROVIDER),
    _USER_PROVIDER_DAYS,
    _USER_MODEL_DAYS.of("usage_user_model_weeks", "week", *_USER_MODEL),
    _USER_MODEL_DAYS,
    _USER_MODEL_QUARTERS,
    _METADATA_HOURS.of("usage_metadata_days", "day", "metadata"),
    _METADATA_HOURS,
    _KEY_METADATA_DAYS.of("usage_key_metadata_weeks", "week", *_KEY_METADATA),
    _KEY_METADATA_DAYS,
    _KEY_METADATA_QUARTERS,
    _METADATA_TARGET_DAYS.of("usage_metadata_target_weeks", "week", *_METADATA_TARGET),
    _METADATA_TARGET_DAYS,
    _METADATA_TARGET_QUARTERS,
)
"""All of them; of two that can answer a question, the earlier one has fewer rows. Each comes before its source."""


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


NOT_FOLDED: Final = (
    changed_rows("requests NOT INDEXED", "number > (SELECT number FROM usage_folded)"),
    changed_rows("usage_changes"),
)
"""What no cube knows yet."""


def over(time: str) -> str:
    """Before which unit of time all is over, and cubes that are made of others have it: an expression."""
    return f"(SELECT over_ms / {TIMES[time]} FROM usage_folded)"  # noqa: S608 - as above
