"""Latencies in buckets, so that quantiles of any number of requests can be told from a few bytes. Pure.

A bucket's upper bound is 1.1 times its lower one. A time within it is told as their geometric mean, which is at most
5 % from it. How many times there are in each is a `ledger.histogram`.
"""

from bisect import bisect_left
from itertools import accumulate
from math import log
from typing import Final

from clawgw.ledger.histogram import BUCKETS, KINDS, counters, listed

LATENCIES: Final = ("duration_ms", "first_token_ms")
"""The kinds of a histogram, in their order."""
ERROR: Final = 0.05
"""How far a quantile is from the true one at most, relative to it, for times between `LEAST_MS` and `MOST_MS`."""
LEAST_MS: Final = 0.1
_RATIO: Final = 1.1
_LOG_RATIO: Final = log(_RATIO)
_LAST: Final = BUCKETS - 1
MOST_MS: Final = LEAST_MS * _RATIO**_LAST
"""About 18 minutes."""
_TIMES: Final = [float(f"{LEAST_MS * _RATIO ** (bucket + 0.5):.4g}") for bucket in range(BUCKETS)]
_NUMBER: Final = (int, float)


def stored(*latencies: object) -> bytes:
    """The histogram of one request's `LATENCIES` in ms, as it is stored; what is no number does not count."""
    times, others = (bytes([_bucket(ms)]) if isinstance(ms, _NUMBER) else b"" for ms in latencies)
    return listed(times, others)


def quantiles(data: bytes, latency: str, shares: tuple[float, ...]) -> list[float | None]:
    """For each share the time in ms which such a share of all does not exceed (nearest rank), within `ERROR`.

    Of a histogram as it is stored. None: there is none.
    """
    empty, counted = counters(data)
    seen = list(accumulate(counted[LATENCIES.index(latency) :: KINDS]))
    if not seen or not seen[-1]:
        return [None for _ in shares]
    return [_TIMES[empty + bisect_left(seen, max(share * seen[-1], 1))] for share in shares]


def _bucket(ms: float) -> int:
    return 0 if ms < LEAST_MS else int(min(log(ms / LEAST_MS) / _LOG_RATIO, _LAST))
