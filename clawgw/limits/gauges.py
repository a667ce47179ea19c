"""The gauge of any bucket, to read a level from that somebody else keeps. Pure."""

from collections.abc import Callable, Mapping
from functools import lru_cache

from clawgw.limits.arithmetic import Gauge, Level
from clawgw.limits.bucket import Bucket, Kind, Standing
from clawgw.limits.places import Places
from clawgw.limits.spending import Spending
from clawgw.limits.token_bucket import TokenBucket

GAUGES_KEPT = 10_000
"""A quota policy may name any number of buckets."""
_GAUGES: Mapping[Kind, Callable[[Bucket], Gauge]] = {
    "requests": TokenBucket,
    "tokens": TokenBucket,
    "concurrent": Places,
    "usd": Spending,
}


@lru_cache(GAUGES_KEPT)
def gauge_of(bucket: Bucket) -> Gauge:
    """That of a bucket, at any level."""
    return _GAUGES[bucket.kind](bucket)


def standing(bucket: Bucket, level: Level, now_ms: int, asked: int = 0) -> Standing:
    """How a bucket stands that had a level some time ago, for one who asks for so much of it."""
    at_level = gauge_of(bucket)
    at_level.used, at_level.at_ms = level
    at_level.advance(now_ms)
    return at_level.standing(now_ms, asked)
