"""What Redis last said of each bucket."""

from collections import OrderedDict

from attrs import define, field

from clawgw.limits.arithmetic import Level, standing
from clawgw.limits.bucket import Bucket, Standing
from clawgw.limits.redis.keys import rule

KEPT = 10_000
"""A quota policy may name any number of buckets."""


@define
class Seen:
    """The levels of the buckets that were asked for last."""

    _levels: OrderedDict[str, Level] = field(factory=OrderedDict)

    def note(self, key: str, level: Level) -> None:
        """Redis has said so of the bucket with this key."""
        self._levels[key] = level
        self._levels.move_to_end(key)
        if len(self._levels) > KEPT:
            self._levels.popitem(last=False)

    def standing(self, bucket: Bucket, now_ms: int) -> Standing | None:
        """How it stands now, if nobody else has used it since."""
        level = self._levels.get(rule(bucket).key)
        return None if level is None else standing(bucket, level, now_ms)
