"""Whether Redis is asked at all: after some failures in a row nobody waits for it until it has answered again."""

import logging

from attrs import define

log = logging.getLogger("clawgw")

FAILURES = 5


@define
class Breaker:
    """Open until Redis has answered for the first time. It is closed by what probes, never by a request."""

    degraded: str | None = "NotConnected"
    """Why Redis is not asked, with neither address nor password; None: it is asked."""
    _failures: int = 0
    _told: bool = False

    def answered(self) -> None:
        """Redis works."""
        self._failures, self.degraded = 0, None
        if self._told:
            log.warning("limits: Redis answers again")
            self._told = False

    def failed(self, why: str) -> None:
        """Redis has not answered, or not what was asked."""
        self._failures += 1
        if self.degraded is None and self._failures < FAILURES:
            return
        self.degraded = why
        if not self._told:
            log.warning("limits: Redis is away (%s); until it answers, [limits] when_down applies", why)
            self._told = True
