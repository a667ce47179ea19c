"""The calendar windows of budgets, in UTC. Pure."""

from datetime import UTC, datetime, timedelta

from clawgw.limits.bucket import Window

_LENGTHS_MS: dict[Window, int] = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
_DAY_MS = _LENGTHS_MS["day"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def window(per: Window, now_ms: int) -> tuple[int, int]:
    """The beginning and end, in ms since the epoch, of the window that `now_ms` is in."""
    if per == "month":
        first, following = _month(now_ms // _DAY_MS)
        return first * _DAY_MS, following * _DAY_MS
    start_ms = now_ms - now_ms % _LENGTHS_MS[per]
    return start_ms, start_ms + _LENGTHS_MS[per]


def _month(day: int) -> tuple[int, int]:
    """The first day of a day's month and of the next one, in days since the epoch."""
    first = (_EPOCH + timedelta(days=day)).replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return (first - _EPOCH).days, (following - _EPOCH).days
