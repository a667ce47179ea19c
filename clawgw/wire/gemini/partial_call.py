"""A function call whose arguments arrive piece by piece, put together.

Google streams arguments only where it is asked to, which no request of ours does; relays that ask are read all the
same. Each piece names its place by a JSON path (RFC 9535), and strings continue where a piece says so.
Source: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/Content#PartialArg.
"""

import re
from itertools import pairwise
from typing import Any

from attrs import define, field

from clawgw.wire.events import MAX_EVENT_BYTES
from clawgw.wire.failure import Failure, Kind, WireError
from clawgw.wire.json_body import MAX_DEPTH, get_objects, get_text, invalid

_STEP = re.compile(r"""\.([^.\[\]]+)|\[(\d{1,4})\]|\[(?:'([^']*)'|"([^"]*)")\]""")
_VALUES = ("stringValue", "numberValue", "boolValue")


@define
class PartialCall:
    """The call so far. Raises `WireError` of kind INVALID or TOO_LARGE."""

    part: dict[str, Any]
    """The part that opened the call: its name, id and signature."""
    args: dict[str, Any] = field(factory=dict, init=False)
    _bytes: int = field(default=0, init=False)

    def add(self, call: dict[str, Any]) -> None:
        """The pieces of one `functionCall`."""
        for piece in get_objects(call, "partialArgs"):
            value = next((piece[kind] for kind in _VALUES if kind in piece), None)
            path = get_text(piece, "jsonPath")
            self._bytes += len(path) + (len(value) if isinstance(value, str) else 8)
            if self._bytes > MAX_EVENT_BYTES:
                raise WireError(Failure(Kind.TOO_LARGE, "The arguments of the upstream's function call are too large."))
            _put(self.args, _steps(path), value)

    def whole(self) -> dict[str, Any]:
        """The part, as if it had come in one piece."""
        return {**self.part, "functionCall": {**self.part["functionCall"], "args": self.args}}


def _steps(path: str) -> list[str | int]:
    """`$.list[0]['a b']` as `["list", 0, "a b"]`; at least one."""
    steps: list[str | int] = []
    at = 1
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            break
        name, index, single, double = step.groups()
        steps.append(int(index) if index else name or single or double or "")
        at = step.end()
    if at < len(path) or not 0 < len(steps) <= MAX_DEPTH:
        raise invalid("The upstream streams an argument to a place that is no JSON path.")
    return steps


def _put(args: dict[str, Any], steps: list[str | int], value: Any) -> None:
    """Sets `value` at its place, appending to a string that is there already."""
    place: Any = args
    for step, following in pairwise(steps):
        place = _enter(place, step, [] if isinstance(following, int) else {})
    last = steps[-1]
    before = _enter(place, last, None)
    place[last] = before + value if isinstance(before, str) and isinstance(value, str) else value


def _enter(place: Any, step: str | int, empty: Any) -> Any:
    """What is at `step` of `place`, made as `empty` if it is the next thing to be there."""
    match place, step:
        case dict(), str():
            return place.setdefault(step, empty)
        case list(), int() if step <= len(place):
            if step == len(place):
                place.append(empty)
            return place[step]
    raise invalid("The upstream streams an argument to a place that cannot be.")
