"""How long a policy that has overrun is left out. Pure; `now` is seconds of any clock that does not go back."""

import math

from attrs import define

FIRST_S = 1.0
LONGEST_S = 300.0


@define
class Quarantine:
    """One policy's: 1 s after the first overrun, twice as long after each further one, until a call goes well."""

    _until: float = -math.inf
    _next_s: float = FIRST_S

    def holds(self, now: float) -> bool:
        """Whether the policy is left out."""
        return now < self._until

    def overran(self, now: float) -> None:
        """A call has taken too long."""
        self._until = now + self._next_s
        self._next_s = min(2 * self._next_s, LONGEST_S)

    def went_well(self) -> None:
        """A call has given what it should."""
        self._next_s = FIRST_S
