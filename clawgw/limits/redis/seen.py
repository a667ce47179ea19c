"""What Redis last said of each bucket."""

from collections.abc import Sequence

from attrs import define, field

from clawgw.limits.arithmetic import Level
from clawgw.limits.bucket import Bucket, Standing
from clawgw.limits.gauges import standing
from clawgw.limits.redis.keys import rule

KEPT = 10_000
"""A quota policy may name any number of buckets."""


@define
class Seen:
    """The levels of the buckets that were asked for last."""

    _levels: dict[bytes, Level] = field(factory=dict)

    def note(self, keys: Sequence[bytes], levels: Sequence[Level]) -> None:
        """Redis has said so of the first of the buckets with these keys."""
        for key, level in zip(keys, levels, strict=False):
            self._levels.pop(key, None)
            self._levels[key] = level
        while len(self._levels) > KEPT:
            del self._levels[next(iter(self._levels))]

    def standing(self, bucket: Bucket, now_ms: int) -> Standing | None:
        """How it stands now, if nobody else has used it since."""
        level = self._levels.get(rule(bucket).key)
        return None if level is None else standing(bucket, level, now_ms)
