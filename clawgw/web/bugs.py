"""Writing down an unexpected exception without what it carries.

An exception's text may quote a message or a key. What is logged is its class and where it came from.
"""

import logging
import traceback
from types import TracebackType

log = logging.getLogger("clawgw")


def report_bug(error: BaseException, request_id: str) -> None:
    """Log one line: the request, the class of the (first, innermost) exception and the calls that led to it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    log.error("%s internal_error: %s at %s", request_id, type(error).__qualname__, _where(error.__traceback__))


def _where(tb: TracebackType | None) -> str:
    calls = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(tb)]
    return " < ".join(reversed(calls))
