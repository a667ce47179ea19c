"""The words of a routing decision, and the only module a policy imports.

A plan is data: which targets are tried, in which order, and what starts each one. The engine runs it; nothing here does
any work.
"""

from collections.abc import Iterable
from typing import Literal

from attrs import field, frozen

Trigger = Literal["primary", "retry", "failover", "silence", "hedge", "race"]


@frozen
class Target:
    """A provider's name in the configuration and the provider's own name of a model."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


@frozen
class AtOnce:
    """The attempt starts with the request."""


@frozen
class OnFailure:
    """The attempt starts when the one before it has failed, or has been silent for `after_silence_s` seconds.

    Silence means not one byte of an answer; the silent attempt goes on and may still win. None: only failure counts.
    """

    after_silence_s: float | None = None


Start = AtOnce | OnFailure


@frozen
class PlannedAttempt:
    """One target and what starts it."""

    target: Target
    start: Start = AtOnce()


def _in_order(attempts: Iterable[PlannedAttempt]) -> tuple[PlannedAttempt, ...]:
    return tuple(attempts)


@frozen
class Plan:
    """Attempts in order. `max_attempts` bounds them with the retries on a same target; `deadline_s` bounds all."""

    attempts: tuple[PlannedAttempt, ...] = field(converter=_in_order)
    max_attempts: int = 3
    deadline_s: float = 600.0
