"""What a bucket, a reservation and a gateway are called in Redis. Names come hashed: a client may have made them."""

from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from clawgw.limits.arithmetic import MAX_LIMIT
from clawgw.limits.bucket import Bucket

PREFIX = "{clawgw}:"
"""Its hash tag keeps everything on one shard, as scripts need."""
GATEWAYS = f"{PREFIX}gateways"


class Rule(NamedTuple):
    """A bucket as the scripts know it."""

    key: str
    name: str
    """`drain`, `places`, or the window of a budget."""
    limit: int


@lru_cache(maxsize=10_000)
def rule(bucket: Bucket) -> Rule:
    """The same key for buckets that are equal in all but their limit."""
    name = {"concurrent": "places", "usd": bucket.per}.get(bucket.kind, "drain")
    return Rule(f"{PREFIX}bucket:{digest(_identity(bucket))}", name, min(bucket.limit, MAX_LIMIT[bucket.kind]))


def spendings(bucket: Bucket, since_ms: int) -> str:
    """The key of what the ledgers say of a budget in the window that began then."""
    return f"{PREFIX}spent:{digest(f'{since_ms} {_identity(bucket)}')}"


def record(name: str) -> str:
    """The key of a reservation's record. `name`: the digest of its id."""
    return f"{PREFIX}reservation:{name}"


def digest(name: str) -> str:
    """128 bits of any text."""
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _identity(bucket: Bucket) -> str:
    return repr((bucket.scope, bucket.name, bucket.kind, bucket.per))
