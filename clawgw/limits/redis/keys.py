"""What a bucket, a reservation and a gateway are called in Redis. Names come hashed: a client may have made them."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple

from clawgw.limits.arithmetic import MAX_LIMIT, Gauge
from clawgw.limits.bucket import Bucket
from clawgw.limits.gauges import gauge_of

PREFIX = b"{clawgw}:"
"""Its hash tag keeps everything on one shard, as scripts need."""
DIGEST = 32
GATEWAYS = PREFIX + b"gateways"
_CODES: Mapping[str, int] = {
    "requests": 0,
    "tokens": 0,
    "concurrent": 1,
    "minute": 2,
    "hour": 3,
    "day": 4,
    "month": 5,
}
"""Of a kind, or of a budget's window, as level.lua numbers them."""
_RULE = Struct("<48sBd")


class Rule(NamedTuple):
    """A bucket as the scripts know it, and a gauge to read its levels from."""

    key: bytes
    code: int
    limit: int
    packed: bytes
    """All three."""
    gauge: Gauge


@lru_cache(maxsize=10_000)
def rule(bucket: Bucket) -> Rule:
    """The same key for buckets that are equal in all but their limit."""
    key, limit = PREFIX + b"bucket:" + digest(repr(bucket.identity)), min(bucket.limit, MAX_LIMIT[bucket.kind])
    code = _CODES[bucket.per if bucket.kind == "usd" else bucket.kind]
    return Rule(key, code, limit, _RULE.pack(key, code, limit), gauge_of(bucket))


class Rules(NamedTuple):
    """Those of buckets that are asked together."""

    each: Sequence[Rule]
    keys: Sequence[bytes]
    with_places: bool


@lru_cache(maxsize=10_000)
def rules_of(buckets: tuple[Bucket, ...]) -> Rules:
    """In order."""
    each = [rule(bucket) for bucket in buckets]
    return Rules(each, [known.key for known in each], any(bucket.kind == "concurrent" for bucket in buckets))


def spendings(bucket: Bucket, since_ms: int) -> bytes:
    """The key of what the ledgers say of a budget in the window that began then."""
    return PREFIX + b"spent:" + digest(f"{since_ms} {bucket.identity}")


@lru_cache(maxsize=1_000)
def record_of(reservation: str) -> bytes:
    """The key of a reservation's record; mostly asked for twice, when it is reserved and when it is settled."""
    return PREFIX + b"reservation:" + digest(reservation)


def digest(name: str) -> bytes:
    """`DIGEST` hexadecimal digits for any text."""
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=DIGEST // 2).hexdigest().encode()
