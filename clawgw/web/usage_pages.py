"""What `/v1/usage` and `/v1/requests/{id}` say, from the log's database: of all keys to an admin, else of one's own."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import trio

from clawgw.config.callers import Caller
from clawgw.config.mistakes import did_you_mean
from clawgw.errors import InvalidApiKey, InvalidRequest, LogUnreadable, NotFound
from clawgw.ledger import reading
from clawgw.ledger.question import BadQuestion, Question, question

T = TypeVar("T")

log = logging.getLogger("clawgw")

_LIMIT_S: Final = 10.0
_AT_ONCE: Final = 4
_threads = trio.CapacityLimiter(_AT_ONCE)
"""So that questions about the log never take the threads, or the processor, from requests."""
_FRESH_S: Final = 2.0
"""A request that has just ended is in the database within this time."""
_LOOK_EVERY_S: Final = 0.1
_SINGLE: Final = ("from", "to", "key", "limit")


async def usage(path: Path, caller: Caller, arguments: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The answer to the arguments of a query string, each with all its values.

    Raises InvalidRequest, InvalidApiKey, LogUnreadable.
    """
    try:
        asked = _question(caller, arguments)
    except BadQuestion as error:
        raise InvalidRequest(str(error), param=error.param) from None
    try:
        return await _in_thread(lambda: reading.usage(path, asked, _LIMIT_S).as_json())
    except reading.TooSlow:
        raise InvalidRequest(f"this takes more than {_LIMIT_S:g} s: ask for less time", param="from") from None


async def record(path: Path, caller: Caller, request_id: str) -> dict[str, Any]:
    """A request by our id or by its caller's; one that has just ended is waited for.

    Raises NotFound, also where it is somebody else's, InvalidApiKey, LogUnreadable.
    """
    key = _own(caller)
    with trio.move_on_after(_FRESH_S):
        while True:
            found = await _in_thread(lambda: reading.record(path, request_id, key))
            if found is not None:
                return {"object": "request", **found}
            await trio.sleep(_LOOK_EVERY_S)
    raise NotFound("there is no request with this id: it may be older than the log is kept for", param="id")


async def _in_thread(read: Callable[[], T]) -> T:
    """Raises LogUnreadable."""
    try:
        return await trio.to_thread.run_sync(read, limiter=_threads)
    except reading.Unreadable as error:
        log.warning("the log cannot be read: %s", error)
        raise LogUnreadable("the log cannot be read at present", retry_after_s=1) from None


def _question(caller: Caller, arguments: Mapping[str, Sequence[str]]) -> Question:
    """Raises BadQuestion, InvalidApiKey."""
    known = ("group_by", *_SINGLE)
    for name, values in arguments.items():
        if name not in known:
            raise BadQuestion(name, f"unknown parameter{did_you_mean(name, known)}: there are {', '.join(known)}")
        if name in _SINGLE and len(values) > 1:
            raise BadQuestion(name, "is there more than once")
    single = {name: arguments[name][0] for name in _SINGLE if name in arguments}
    own = _own(caller)
    if own is not None and single.get("key", own) != own:
        raise BadQuestion("key", "only an admin may ask for another key's")
    if own is not None:
        single["key"] = own
    return question(arguments.get("group_by", ()), single)


def _own(caller: Caller) -> str | None:
    """The key whose requests the caller may see; None: all. Raises InvalidApiKey."""
    if caller.admin:
        return None
    if caller.name is None:
        raise InvalidApiKey("nothing here is yours without a key: send it as `Authorization: Bearer KEY`")
    return caller.name
