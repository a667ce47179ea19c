"""What Redis has to be told, whenever that may be: settlements and seeds. Nobody waits for them."""

import logging
from collections import deque
from collections.abc import Sequence

from attrs import define

from clawgw.limits.redis.breaker import Breaker
from clawgw.limits.redis.link import Job, Link, Unanswered
from clawgw.limits.redis.scripts import Script

log = logging.getLogger("clawgw")

KEPT = 10_000
"""Beyond that the oldest are forgotten: what they would have given back stays charged."""
AT_ONCE = 500
"""So many are told at once after an absence, so that requests need not wait behind them."""


@define(eq=False)
class _Message(Job):
    kept: deque[Job]

    def done(self) -> None:
        if isinstance(self.answer, Unanswered):
            self.answer = None
            self.kept.append(self)


class Outbox:
    """Told at once while Redis answers, kept while it does not."""

    def __init__(self, link: Link, breaker: Breaker) -> None:
        self._link = link
        self._breaker = breaker
        self._kept: deque[Job] = deque(maxlen=KEPT)

    def tell(self, script: Script, keys: Sequence[bytes], call: bytes) -> None:
        """A script that does no harm when it runs twice: soon, and before anything is asked after this."""
        job = _Message(script, keys, call, self._kept)
        if self._breaker.degraded is None:
            self._link.post(job)
        else:
            self._kept.append(job)

    def resend(self, count: int = AT_ONCE) -> None:
        """Tell so many of those that were kept."""
        for _ in range(min(count, len(self._kept))):
            self._link.submit(self._kept.popleft())

    def close(self) -> None:
        """Own up to what was never told."""
        if self._kept:
            log.warning("limits: Redis was away; %d reservations stay charged as they were estimated", len(self._kept))
