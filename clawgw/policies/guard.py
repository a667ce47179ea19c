"""One call of a policy, ended when its time is up.

A timer of the operating system fires then, and again and again until the call is over; the signal's function raises
`TimeIsUp` in whatever the policy is doing. That ends loops, sleeps, waiting for locks and runaway regular expressions,
also in a policy that catches everything once. It cannot end one long call of C code (a huge sort is waited for) nor a
loop that catches everything each time around.

The exception never leaves the call. There is no flag that could be up for a moment too long: the signal's function
looks at the stack that it has interrupted, and raises only above `_call`. It does not where another signal's function
has interrupted the policy, and no garbage is collected meanwhile, so that nobody else's code runs there.
"""

import gc
import signal
from collections.abc import Callable, Sequence
from functools import cache
from time import perf_counter
from types import CodeType, FrameType
from typing import Literal, TypeVar

from attrs import frozen

from clawgw.policies.functions import PolicyFunction
from clawgw.policies.place import one_line, place_and_kind
from clawgw.policies.returned import Rubbish

LIMIT_S = 0.05
REPEAT_S = 0.01

FailureKind = Literal["raised", "overrun", "rubbish"]
T = TypeVar("T")


@frozen
class PolicyFailure:
    """A call that came to nothing. `text` is one line that says where and what, and nothing that the request says."""

    kind: FailureKind
    text: str


class TimeIsUp(BaseException):
    """Raised in a policy that has had its time; no Exception, so that ordinary `except` clauses let it pass."""


def run_guarded(
    function: PolicyFunction,
    arguments: Sequence[object],
    read: Callable[[object], T | Rubbish],
    clock: Callable[[], float] = perf_counter,
    limit_s: float = LIMIT_S,
) -> T | PolicyFailure:
    """What `read` makes of what the policy returns, or why there is nothing. Raises nothing, whatever the policy does.

    For the main thread: Python runs signal functions nowhere else. SIGALRM and the real-time timer belong to it.
    """
    _take_the_signal()
    was_collecting = gc.isenabled()
    gc.disable()
    began = clock()
    signal.setitimer(signal.ITIMER_REAL, limit_s, REPEAT_S)
    try:
        outcome = _call(function, arguments, read)
    except BaseException as error:  # noqa: BLE001 - a policy may raise anything, SystemExit too
        outcome = PolicyFailure("raised", place_and_kind(error))
    signal.setitimer(signal.ITIMER_REAL, 0)
    took_s = clock() - began
    if was_collecting:
        gc.enable()
    return outcome if took_s <= limit_s else _overrun(outcome, took_s, limit_s)


def _call(
    function: PolicyFunction, arguments: Sequence[object], read: Callable[[object], T | Rubbish]
) -> T | PolicyFailure:
    """All that runs a policy's code: to look at what it has returned may do so too."""
    result = read(function(*arguments))
    return PolicyFailure("rubbish", one_line(result.problem)) if isinstance(result, Rubbish) else result


def _overrun(outcome: object, took_s: float, limit_s: float) -> PolicyFailure:
    ended_by = f" ({outcome.text})" if isinstance(outcome, PolicyFailure) else ""
    return PolicyFailure("overrun", f"took {took_s * 1000:.0f} ms, {limit_s * 1000:.0f} are allowed{ended_by}")


@cache
def _take_the_signal() -> None:
    """Once and for all: a signal that comes late must not find the default action, which ends the process."""
    signal.signal(signal.SIGALRM, _on_alarm)


def _on_alarm(_number: int, frame: FrameType | None) -> None:
    others = _codes_of_other_signals()
    while frame is not None and frame.f_code not in others:
        if frame.f_code is _call.__code__:
            raise TimeIsUp
        frame = frame.f_back


def _codes_of_other_signals() -> set[CodeType | None]:
    others = signal.valid_signals() - {signal.SIGALRM}
    return {getattr(signal.getsignal(number), "__code__", None) for number in others}
