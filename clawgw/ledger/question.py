"""What can be asked about usage: by what requests are told apart, between when and when, of which key. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from attrs import frozen

from clawgw.config.mistakes import did_you_mean
from clawgw.ledger.cubes import DAY_MS, TIMES

FIELDS: Final = ("key", "model", "provider", "route", "day", "hour", "user")
MAPS: Final = {"label": "labels", "metadata": "metadata"}
"""What is followed by `:NAME`, and the column that holds the names."""
END_OF_TIME_MS: Final = 253_402_300_800_000
"""The first moment of the year 10000."""
MOST_GROUPS: Final = 10_000
USUAL_GROUPS: Final = 1000
_MOST_GROUPINGS: Final = 5
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER: Final = re.compile(r"[0-9]{1,12}")
_SPACED_OFFSET: Final = re.compile(r"(T.*) (\d\d:?\d\d)")
"""A time whose offset had a `+` that was not escaped: in a query that is a space."""


class BadQuestion(ValueError):
    """What is asked for makes no sense; the message says what would. `param` names the part."""

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param


@frozen
class Grouping:
    """One of `FIELDS`, or a label or a piece of metadata by its name."""

    column: str
    name: str | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        """Raises BadQuestion."""
        kind, _, name = text.partition(":")
        if name and kind in MAPS:
            return cls(MAPS[kind], name)
        if text in FIELDS:
            return cls(text)
        known = [*FIELDS, *(f"{each}:NAME" for each in MAPS)]
        raise BadQuestion("group_by", f"{text!r} is none of {', '.join(known)}{did_you_mean(text, FIELDS)}")

    def __str__(self) -> str:
        return self.column if self.name is None else f"{self.column.removesuffix('s')}:{self.name}"

    def shown(self, value: Any) -> str | None:
        """A value of the database as people read it; None: that of requests that have none."""
        unit = TIMES.get(self.column)
        if unit is None:
            return value or None
        moment = _EPOCH + timedelta(milliseconds=value * unit)
        return f"{moment:%Y-%m-%d}" if unit == DAY_MS else f"{moment:%Y-%m-%dT%H:00:00Z}"


@frozen
class Question:
    """From `from_ms` (inclusive) to `to_ms` (exclusive), Unix time. `key`: of that key only."""

    groupings: Sequence[Grouping] = ()
    from_ms: int = 0
    to_ms: int = END_OF_TIME_MS
    key: str | None = None
    limit: int = USUAL_GROUPS
    """How many groups are shown at most."""

    @property
    def columns(self) -> set[str]:
        """What a table must tell apart to answer."""
        return {grouping.column for grouping in self.groupings} | ({"key"} if self.key is not None else set())


def question(group_by: Sequence[str], single: Mapping[str, str]) -> Question:
    """Of what somebody wrote: groupings, and perhaps `from`, `to`, `key` and `limit`. Raises BadQuestion."""
    from_ms = _moment_ms("from", single["from"]) if "from" in single else 0
    to_ms = _moment_ms("to", single["to"]) if "to" in single else END_OF_TIME_MS
    if from_ms >= to_ms:
        raise BadQuestion("to", "must be later than `from`")
    return Question(_groupings(group_by), from_ms, to_ms, single.get("key"), _limit(single.get("limit")))


def _groupings(texts: Sequence[str]) -> tuple[Grouping, ...]:
    """Of `key` or `key,day`, each perhaps several times."""
    found = tuple(dict.fromkeys(Grouping.of(text.strip()) for each in texts for text in each.split(",")))
    if len(found) > _MOST_GROUPINGS:
        raise BadQuestion("group_by", f"at most {_MOST_GROUPINGS} at once")
    return found


def _moment_ms(param: str, text: str) -> int:
    """A date or a time of ISO 8601, of UTC unless it says else, or Unix seconds."""
    try:
        if _NUMBER.fullmatch(text):
            moment = datetime.fromtimestamp(int(text), UTC)
        else:
            moment = datetime.fromisoformat(_SPACED_OFFSET.sub(r"\1+\2", text))
        since = moment.replace(tzinfo=moment.tzinfo or UTC) - _EPOCH
    except (ValueError, OverflowError, OSError):
        raise BadQuestion(
            param, f"{text!r} is no time: write 2026-11-23, 2026-11-23T14:00:00Z or seconds since 1970"
        ) from None
    return max(since // timedelta(milliseconds=1), 0)


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL_GROUPS
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= MOST_GROUPS:
        raise BadQuestion("limit", f"{text!r} is no whole number from 1 to {MOST_GROUPS}")
    return int(text)
