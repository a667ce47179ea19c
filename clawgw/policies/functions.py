"""From `module:function` to something that can be called as a policy."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from clawgw.policies.modules import PolicyPackage
from clawgw.policies.place import whole_story
from clawgw.policy import RequestFacts, TargetView

PolicyFunction = Callable[[RequestFacts, Sequence[TargetView], Mapping[str, Any]], object]


class UnusableError(Exception):
    """A policy that cannot be used; the message is one line that begins with its file."""


def import_function(package: PolicyPackage, reference: str) -> PolicyFunction:
    """The function that `module:function` names. Runs the module's code; raises UnusableError, whatever that does."""
    module, _, name = reference.partition(":")
    try:
        function = getattr(package.load(module), name, None)
    except BaseException as error:  # noqa: BLE001 - a module may raise anything, SystemExit too
        raise UnusableError(whole_story(error)) from None
    if problem := _problem(function):
        raise UnusableError(f"{package.sources[module].shown}: {name} {problem}")
    return cast("PolicyFunction", function)


def _problem(function: object) -> str | None:
    if function is None:
        return "is not there"
    if not callable(function):
        return f"must be a function, not {type(function).__name__}"
    for is_other, kind in (
        (inspect.iscoroutinefunction, "a coroutine"),
        (inspect.isasyncgenfunction, "an asynchronous generator"),
        (inspect.isgeneratorfunction, "a generator"),
    ):
        if is_other(function):
            return f"must be a plain function, not {kind}"
    try:
        inspect.signature(function).bind(None, None, None)
    except TypeError:
        return "must take three arguments: request, targets, options"
    return None
