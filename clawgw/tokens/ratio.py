"""What usage teaches of a model's tokenizer: reported tokens for one estimated. Pure; in memory, one worker's own."""

from attrs import define, field

from clawgw.policy import Target

LEAST, MOST = 0.5, 2.0
MEMORY = 0.98
"""What a report still weighs after another one: half after 34 of them."""
PRIOR_TOKENS = 1000.0
"""The first estimate counts as much as a report of so many tokens, so that a short prompt teaches little."""
MAX_TARGETS = 1024


@define
class Ratio:
    """Of one target. Reports weigh by their size: what a request costs beside its text matters most in short ones."""

    _estimated: float = PRIOR_TOKENS
    _reported: float = PRIOR_TOKENS

    @property
    def value(self) -> float:
        """Between `LEAST` and `MOST`; 1 before any report."""
        return min(MOST, max(LEAST, self._reported / self._estimated))

    def note(self, estimated: int, reported: int) -> None:
        """A prompt that was estimated at so many tokens was reported with so many; nothing is learnt of none."""
        if estimated > 0 and reported > 0:
            self._estimated = self._estimated * MEMORY + estimated
            self._reported = self._reported * MEMORY + reported


@define(eq=False)
class Ratios:
    """By target; the oldest is forgotten where there are too many, for clients name models."""

    _ratios: dict[Target, Ratio] = field(init=False, factory=dict)

    def value(self, target: Target) -> float:
        """1 for a target of which nothing is known."""
        ratio = self._ratios.get(target)
        return 1.0 if ratio is None else ratio.value

    def note(self, target: Target, estimated: int, reported: int) -> None:
        """As `Ratio.note`."""
        if target not in self._ratios:
            if len(self._ratios) >= MAX_TARGETS:
                del self._ratios[next(iter(self._ratios))]
            self._ratios[target] = Ratio()
        self._ratios[target].note(estimated, reported)
