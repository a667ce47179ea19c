"""Running a plan: attempts start as the schedule says, the first to commit wins, everything else is closed.

The winner is *returned* as an open resource, the way `trio.open_tcp_stream` returns a stream: the nursery in which the
attempts ran is gone by then, and ownership moves at the `return`. A plan that never has two attempts at once opens no
nursery. Whatever else was opened is aborted here, on every path.
"""

import math
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import trio
from attrs import define

from clawgw.policy import OnFailure, Plan, Target, Trigger
from clawgw.routing.outcome import Failures
from clawgw.routing.schedule import Schedule, Step
from clawgw.wire.codec import WireError


class Opened(Protocol):
    """An answer that has committed; owned by whoever holds it."""

    def abort(self) -> None:
        """Close it now."""


OpenedT = TypeVar("OpenedT", bound=Opened)
OpenedT_co = TypeVar("OpenedT_co", bound=Opened, covariant=True)


class Entrant(Protocol[OpenedT_co]):
    """One attempt at a target."""

    @property
    def heard(self) -> bool:
        """Whether any byte of an answer has come."""

    @property
    def other_key(self) -> bool:
        """Whether the provider has a key that this request has not tried."""

    async def run(self) -> OpenedT_co:
        """The committed answer, by the schedule's deadline. Raises `WireError`, and then nothing is left open."""

    def lost(self) -> None:
        """Its answer came in the same tick as another's and was aborted."""


Enter = Callable[[Target, Trigger], Entrant[OpenedT]]


class AllFailed(Exception):
    """No attempt has answered; `failures` holds each with its target, in the order in which they ended."""

    def __init__(self, failures: Failures) -> None:
        super().__init__(f"{len(failures)} attempts failed")
        self.failures = failures


async def run_plan(schedule: Schedule, enter: Enter[OpenedT]) -> OpenedT:
    """The first answer to commit. Raises `AllFailed`."""
    if _one_at_a_time(schedule.plan):
        return await _in_turn(schedule, enter)
    return await _Race(schedule, enter).run()


def _one_at_a_time(plan: Plan) -> bool:
    later = [attempt.start for attempt in plan.attempts[1:]]
    return all(isinstance(start, OnFailure) and start.after_silence_s == math.inf for start in later)


async def _in_turn(schedule: Schedule, enter: Enter[OpenedT]) -> OpenedT:
    step: Step | None = schedule.begin(trio.current_time())[0]
    while step is not None:
        await trio.sleep_until(step.at)
        entrant = enter(step.target, step.trigger)
        try:
            return await entrant.run()
        except WireError as error:
            step = schedule.on_failure(
                step.target, error.failure, trio.current_time(), running=0, other_key=entrant.other_key
            )
    raise AllFailed(schedule.failures)


@define
class _Race(Generic[OpenedT]):
    """Attempts side by side in a nursery."""

    schedule: Schedule
    enter: Enter[OpenedT]
    winner: OpenedT | None = None
    newest: Entrant[OpenedT] | None = None
    running: int = 0

    async def run(self) -> OpenedT:
        try:
            async with trio.open_nursery() as nursery:
                for step in self.schedule.begin(trio.current_time()):
                    self._start(nursery, step)
        except BaseException:
            if self.winner is not None:
                self.winner.abort()
            raise
        if self.winner is None:
            raise AllFailed(self.schedule.failures)
        return self.winner

    def _start(self, nursery: trio.Nursery, step: Step) -> None:
        self.running += 1
        if step.at > trio.current_time():
            nursery.start_soon(self._start_later, nursery, step)
        else:
            self._enter(nursery, step)

    async def _start_later(self, nursery: trio.Nursery, step: Step) -> None:
        await trio.sleep_until(step.at)
        self._enter(nursery, step)

    def _enter(self, nursery: trio.Nursery, step: Step) -> None:
        entrant = self.newest = self.enter(step.target, step.trigger)
        nursery.start_soon(self._attempt, nursery, step, entrant)
        due = self.schedule.due(trio.current_time())
        if due is not None:
            nursery.start_soon(self._wait_for_company, nursery, entrant, due)

    async def _attempt(self, nursery: trio.Nursery, step: Step, entrant: Entrant[OpenedT]) -> None:
        try:
            opened = await entrant.run()
        except WireError as error:
            self._failed(nursery, step, error, entrant)
            return
        if self.winner is None:
            self.winner = opened
            nursery.cancel_scope.cancel()
        else:
            opened.abort()
            entrant.lost()

    def _failed(self, nursery: trio.Nursery, step: Step, error: WireError, entrant: Entrant[OpenedT]) -> None:
        self.running -= 1
        if self.newest is entrant:
            self.newest = None
        following = self.schedule.on_failure(
            step.target, error.failure, trio.current_time(), running=self.running, other_key=entrant.other_key
        )
        if following is not None and self.winner is None:
            self._start(nursery, following)
        elif self.schedule.is_final or not self.running:
            nursery.cancel_scope.cancel()

    async def _wait_for_company(self, nursery: trio.Nursery, entrant: Entrant[OpenedT], due: Step) -> None:
        await trio.sleep_until(due.at)
        alone = self.newest is entrant and self.winner is None
        if alone and (due.trigger == "hedge" or not entrant.heard):
            step = self.schedule.join(due, trio.current_time(), running=self.running)
            if step is not None:
                self._start(nursery, step)
