"""What an exception of a policy says, in one short line of text: where it happened, what it was."""

from types import TracebackType

from clawgw.policies.modules import PREFIX

MOST_CHARACTERS = 200


def place_and_kind(error: BaseException) -> str:
    """`policies/cost_aware.py:12: KeyError`. Nothing of the exception's own text, which may quote a request."""
    return one_line(": ".join(filter(None, [_place(error), type(error).__name__])))


def whole_story(error: BaseException) -> str:
    """`policies/cost_aware.py:12: KeyError: 'ceiling'`. Raises whatever turning the exception into text does."""
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return one_line(": ".join(filter(None, [place_and_kind(error), message])))


def one_line(text: str) -> str:
    """Text without line breaks, cut off where it gets long."""
    line = " ".join(text[: 4 * MOST_CHARACTERS].split())
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"


def _place(error: BaseException) -> str:
    """File and line of the innermost frame that is a policy's; of a syntax error, its own."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    place, step = "", error.__traceback__
    while step is not None:
        place = _place_in_policy(step) or place
        step = step.tb_next
    return place


def _place_in_policy(step: TracebackType) -> str:
    module = step.tb_frame.f_globals.get("__name__")
    is_policys = isinstance(module, str) and module.startswith(PREFIX)
    return f"{step.tb_frame.f_code.co_filename}:{step.tb_lineno}" if is_policys else ""
