"""When an upstream says it may be asked again, read from its headers.

In order: `retry-after-ms`, `Retry-After` (RFC 9110 §10.2.3: seconds or a date), then the reset of the rate-limit bucket
that is exhausted. OpenAI and Groq write resets as durations ("1m2.5s"), Azure as seconds, OpenRouter and Moonshot as
Unix time, Anthropic as an RFC 3339 date.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

_NUMBER = re.compile(r"\d{1,15}(\.\d{1,9})?")
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|[dhms])")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_RESETS_FOR = {
    "x-ratelimit-remaining-requests": "x-ratelimit-reset-requests",
    "x-ratelimit-remaining-tokens": "x-ratelimit-reset-tokens",
    "x-ratelimit-remaining": "x-ratelimit-reset",
}
_UNIX_TIME_FROM = 1e9
_UNIX_TIME_MS_FROM = 1e12


def retry_after_s(headers: Mapping[str, str], now: float, resets_for: Mapping[str, str] = _RESETS_FOR) -> float | None:
    """Seconds to wait, or None where the upstream says nothing that can be read.

    `headers` have lower-case names, `now` is Unix seconds; `resets_for` names the header with the reset for each header
    with a bucket's rest.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    stated = headers.get("retry-after", "")
    seconds = _number(stated)
    if seconds is None:
        seconds = _until(stated, now)
    return seconds if seconds is not None else _exhausted_bucket_s(headers, now, resets_for)


def duration_s(text: str) -> float | None:
    """Seconds in "12ms", "1m2.5s", "6m0s", "45.8379s"; None for anything else."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _UNIT_S[unit] for number, unit in parts)


def _exhausted_bucket_s(headers: Mapping[str, str], now: float, resets_for: Mapping[str, str]) -> float | None:
    resets = [
        _reset_s(headers.get(reset, ""), now)
        for remaining, reset in resets_for.items()
        if headers.get(remaining, "").strip() == "0"
    ]
    return max((seconds for seconds in resets if seconds is not None), default=None)


def _reset_s(text: str, now: float) -> float | None:
    number = _number(text)
    if number is None:
        duration = duration_s(text.strip())
        return duration if duration is not None else _until(text, now)
    if number >= _UNIX_TIME_MS_FROM:
        number /= 1000
    return max(0.0, number - now) if number >= _UNIX_TIME_FROM else number


def _number(text: str) -> float | None:
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) else None


def _until(date: str, now: float) -> float | None:
    """Seconds from `now` to an HTTP or RFC 3339 date; a date that has passed is 0."""
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            return max(0.0, parse(date.strip()).timestamp() - now)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None
