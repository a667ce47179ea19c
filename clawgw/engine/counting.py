"""Counting prompts while others are served: short ones at once, long ones in a thread; and learning from usage."""

from collections.abc import Sequence

import trio
from attrs import define, field

from clawgw.policy import Target
from clawgw.routing.catalogue import Catalogue
from clawgw.tokens.prompt import LARGE, Count, Prompt
from clawgw.tokens.ratio import Ratios
from clawgw.tokens.window import fits, needs_no_count, too_long

THREADS = 2
"""A long prompt takes a core for 0.03 s a megabyte; the others have to wait."""


def _limiter() -> trio.CapacityLimiter:
    return trio.CapacityLimiter(THREADS)


@define(eq=False)
class TokenCounter:
    """One worker's; outlives every configuration, as what was learnt does."""

    _ratios: Ratios = field(factory=Ratios)
    _limiter: trio.CapacityLimiter = field(factory=_limiter)

    async def count(self, prompt: Prompt, target: Target) -> Count:
        """The prompt in the target's tokens, by what its usage has taught so far."""
        if prompt.known(target.model) is None and prompt.bytes > LARGE:
            await trio.to_thread.run_sync(prompt.count, target.model, limiter=self._limiter, abandon_on_cancel=True)
        return prompt.count(target.model).scaled(self._ratios.value(target))

    def learn(self, prompt: Prompt, target: Target, reported: int) -> None:
        """The target says how many tokens the prompt was. Nothing is counted for this that was not counted before."""
        count = prompt.known(target.model)
        if count is not None and count.kind == "estimated":
            self._ratios.note(target, count.tokens, reported)

    async def with_room(self, prompt: Prompt, targets: Sequence[Target], catalogue: Catalogue) -> Sequence[Target]:
        """The targets into whose context window the prompt may fit. Raises `InvalidRequest` where none is left.

        A window that nobody knows is large enough.
        """
        windows = [(catalogue.window(target), target) for target in targets]
        roomy = [target for window, target in windows if await self._fits(prompt, target, window)]
        if not roomy:
            window, target = max(windows, key=lambda one: one[0])
            raise too_long(prompt.request, target, await self.count(prompt, target), int(window))
        return roomy

    async def _fits(self, prompt: Prompt, target: Target, window: float) -> bool:
        return needs_no_count(prompt, window) or fits(await self.count(prompt, target), window)
