"""The places that reservations of this process hold in Redis, for as long as they are neither settled nor forgotten."""

from collections.abc import Iterator, Sequence

from attrs import define, field, frozen

from clawgw.limits.bucket import Claims
from clawgw.limits.redis.keys import DIGEST, rule

AT_ONCE = 200
"""So many are renewed by one script, so that others need not wait for long."""


@frozen
class _Places:
    until_ms: int
    held: Sequence[tuple[bytes, bytes]]


@define
class Leases:
    """By the keys of the reservations' records. Times are those of Redis."""

    _places: dict[bytes, _Places] = field(factory=dict)

    def hold(self, record: bytes, claims: Claims, until_ms: int) -> None:
        """A reservation was granted."""
        held = [
            (rule(bucket).key, b"%b:%d" % (record[-DIGEST:], place))
            for bucket, amount in zip(*claims, strict=True)
            if bucket.kind == "concurrent"
            for place in range(1, amount + 1)
        ]
        if held:
            self._places[record] = _Places(until_ms, held)

    def release(self, record: bytes) -> None:
        """It is settled."""
        self._places.pop(record, None)

    def renewals(self, now_ms: int) -> Iterator[Sequence[tuple[bytes, bytes]]]:
        """Bucket and member of every place, in batches; those of forgotten reservations are dropped."""
        self._places = {record: places for record, places in self._places.items() if now_ms < places.until_ms}
        held = [place for places in self._places.values() for place in places.held]
        for start in range(0, len(held), AT_ONCE):
            yield held[start : start + AT_ONCE]
