"""Running a plan: attempts start as the schedule says, the first to commit wins, everything else is closed.

The winner is *returned* as an open resource, the way `trio.open_tcp_stream` returns a stream: the nursery in which the
attempts ran is gone by then, and ownership moves at the `return`. Whatever else was opened is aborted here, on every
path.

A nursery is opened when a second attempt starts beside the first. Until then the first is waited for inline, up to the
time at which another may join it; what has come of its answer is kept, and the wait goes on in the nursery.
"""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import trio
from attrs import define

from clawgw.policy import Target, Trigger
from clawgw.routing.outcome import Failures
from clawgw.routing.schedule import Schedule, Step
from clawgw.wire.failure import WireError


class Opened(Protocol):
    """An answer that has committed; owned by whoever holds it."""

    def abort(self) -> None:
        """Close it now."""


OpenedT = TypeVar("OpenedT", bound=Opened)
OpenedT_co = TypeVar("OpenedT_co", bound=Opened, covariant=True)


class Entrant(Protocol[OpenedT_co]):
    """One attempt at a target."""

    @property
    def target(self) -> Target:
        """Whom it asks."""

    @property
    def heard(self) -> bool:
        """Whether any byte of an answer has come."""

    @property
    def other_key(self) -> bool:
        """Whether the provider has a key that this request has not tried."""

    async def run(self) -> OpenedT_co:
        """The committed answer, by the schedule's deadline. Raises `WireError`, and then nothing is left open."""

    async def run_until(self, time: float) -> OpenedT_co | None:
        """The same. None: it is not there at `time`, or, before that, it has to be waited for in one go: by `run`."""

    def abort(self) -> None:
        """Close what is open before there is an answer; after it, nothing."""

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
    now = trio.current_time()
    race, (first, *others) = _Race(schedule, enter), schedule.begin(now)
    return await (race.side_by_side(first, *others) if others else race.in_turn(first, now))


@define
class _Race(Generic[OpenedT]):
    """Attempts one after another, or side by side in a nursery."""

    schedule: Schedule
    enter: Enter[OpenedT]
    winner: OpenedT | None = None
    newest: Entrant[OpenedT] | None = None
    """The one that the next may join."""
    running: int = 0
    """How many are under way, or about to start."""

    async def in_turn(self, first: Step, now: float) -> OpenedT:
        """One after another, until one has to run beside another."""
        step: Step | None = first
        while step is not None:
            if step.at > now:
                await trio.sleep_until(step.at)
                now = trio.current_time()
            self.running += 1
            entrant = self._entrant(step)
            try:
                return await self._alone(entrant, self.schedule.due(now))
            except WireError as error:
                now = trio.current_time()
                step = self._failed(entrant, error, now)
            except BaseException:
                entrant.abort()
                raise
        raise AllFailed(self.schedule.failures)

    async def _alone(self, entrant: Entrant[OpenedT], due: Step | None) -> OpenedT:
        if due is None:
            return await entrant.run()
        opened = await entrant.run_until(due.at)
        if opened is not None:
            return opened
        if trio.current_time() < due.at:
            return await self.side_by_side(beside=entrant, due=due)
        joining = self._joining(entrant, due)
        return await (entrant.run() if joining is None else self.side_by_side(joining, beside=entrant))

    async def side_by_side(
        self, *steps: Step, beside: Entrant[OpenedT] | None = None, due: Step | None = None
    ) -> OpenedT:
        """Start these, `beside` one that is under way already, which another may join when it is `due`."""
        try:
            async with trio.open_nursery() as nursery:
                if beside is not None:
                    nursery.start_soon(self._attempt, nursery, beside)
                    self._expect(nursery, beside, due)
                for step in steps:
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
            nursery.start_soon(self._enter_later, nursery, step)
        else:
            self._enter(nursery, step)

    async def _enter_later(self, nursery: trio.Nursery, step: Step) -> None:
        await trio.sleep_until(step.at)
        self._enter(nursery, step)

    def _enter(self, nursery: trio.Nursery, step: Step) -> None:
        entrant = self._entrant(step)
        nursery.start_soon(self._attempt, nursery, entrant)
        self._expect(nursery, entrant, self.schedule.due(trio.current_time()))

    def _entrant(self, step: Step) -> Entrant[OpenedT]:
        entrant = self.newest = self.enter(step.target, step.trigger)
        return entrant

    async def _attempt(self, nursery: trio.Nursery, entrant: Entrant[OpenedT]) -> None:
        try:
            opened = await entrant.run()
        except WireError as error:
            self._go_on(nursery, self._failed(entrant, error, trio.current_time()))
            return
        except BaseException:
            entrant.abort()
            raise
        if self.winner is None:
            self.winner = opened
            nursery.cancel_scope.cancel()
        else:
            opened.abort()
            entrant.lost()

    def _failed(self, entrant: Entrant[OpenedT], error: WireError, now: float) -> Step | None:
        """What starts because of it."""
        self.running -= 1
        if self.newest is entrant:
            self.newest = None
        return self.schedule.on_failure(
            entrant.target, error.failure, now, running=self.running, other_key=entrant.other_key
        )

    def _go_on(self, nursery: trio.Nursery, following: Step | None) -> None:
        if following is not None and self.winner is None:
            self._start(nursery, following)
        elif self.schedule.is_final or not self.running:
            nursery.cancel_scope.cancel()

    def _expect(self, nursery: trio.Nursery, entrant: Entrant[OpenedT], due: Step | None) -> None:
        if due is not None:
            nursery.start_soon(self._wait_for_company, nursery, entrant, due)

    async def _wait_for_company(self, nursery: trio.Nursery, entrant: Entrant[OpenedT], due: Step) -> None:
        await trio.sleep_until(due.at)
        step = self._joining(entrant, due)
        if step is not None:
            self._start(nursery, step)

    def _joining(self, entrant: Entrant[OpenedT], due: Step) -> Step | None:
        """A due step's time has come: what starts beside the entrant, if it is still the one that may be joined."""
        alone = self.newest is entrant and self.winner is None
        if alone and (due.trigger == "hedge" or not entrant.heard):
            return self.schedule.join(due, trio.current_time(), running=self.running)
        return None
