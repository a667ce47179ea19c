"""A provider's keys: used in turn, and set aside for a while when the provider will not have one."""

from collections.abc import Collection

from attrs import define, field

from clawgw.wire.failure import Kind

ASIDE_S = {Kind.AUTH: 300.0, Kind.QUOTA: 900.0}
"""How long a key rests: a refused key may be repaired by its owner, an exhausted account is topped up or renewed."""
MOST_ASIDE_S = 86_400.0
"""The longest hint that is taken whole: it may be a broken date, and one attempt a day finds that out."""


@define
class KeyPool:
    """The state of `size` keys, known here by their indexes. Times are seconds of the caller's clock."""

    size: int
    _twice: list[int] = field(init=False, repr=False)
    """Every key two times: as many of them as there are keys are all keys in turn, wherever that begins."""
    _rests_until: dict[int, float] = field(factory=dict)
    _turn: int = 0

    @_twice.default
    def _in_turn(self) -> list[int]:
        return [*range(self.size)] * 2

    def candidates(self, now: float, tried: Collection[int] = ()) -> list[int]:
        """The keys that may be used now, in turn, without those in `tried`.

        Where every key rests, the one that wakes first is asked all the same: that is how its repair is noticed.
        """
        usable = self._twice[self._turn : self._turn + self.size]
        if self._rests_until:
            awake = [index for index in usable if not self.rests(index, now)]
            usable = awake or sorted(usable, key=self._rests_until.__getitem__)[:1]
        return [index for index in usable if index not in tried] if tried else usable

    def use(self, index: int) -> None:
        """A key is used: the next one's turn comes."""
        self._turn = (index + 1) % self.size

    def give_back(self, index: int) -> None:
        """A key was not used after all: it is its turn again, if no other's has come."""
        if self._turn == (index + 1) % self.size:
            self._turn = index

    def rests(self, index: int, now: float) -> bool:
        """Whether a key is set aside at present."""
        return self._rests_until.get(index, now) > now

    def set_aside(self, index: int, kind: Kind, now: float, hint_s: float | None = None) -> None:
        """A key was refused; `hint_s` is how long the provider says it will be."""
        self._rests_until[index] = now + max(ASIDE_S[kind], min(hint_s or 0.0, MOST_ASIDE_S))

    def restore(self, index: int) -> None:
        """A key has answered: whatever was thought of it is over."""
        self._rests_until.pop(index, None)
