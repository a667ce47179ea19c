"""From `module:function` to something that can be called as a policy."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from clawgw.config.policy_sources import PolicyKind, PolicyName
from clawgw.policies.modules import PolicyPackage
from clawgw.policies.place import whole_story

PolicyFunction = Callable[..., object]
PARAMETERS: Mapping[PolicyKind, Sequence[str]] = {
    "route": ("request", "targets", "options"),
    "quota": ("request", "options"),
}
_IN_WORDS = {2: "two", 3: "three"}


class UnusableError(Exception):
    """A policy that cannot be used; the message is one line that begins with its file."""


def import_function(package: PolicyPackage, policy: PolicyName) -> PolicyFunction:
    """The function of a policy. Runs the module's code; raises UnusableError, whatever that does."""
    try:
        function = getattr(package.load(policy.module), policy.function, None)
    except BaseException as error:  # noqa: BLE001 - a module may raise anything, SystemExit too
        raise UnusableError(whole_story(error)) from None
    if problem := _problem(function, PARAMETERS[policy.kind]):
        raise UnusableError(f"{package.sources[policy.module].shown}: {policy.function} {problem}")
    return cast("PolicyFunction", function)


def _problem(function: object, parameters: Sequence[str]) -> str | None:
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
        inspect.signature(function).bind(*parameters)
    except TypeError:
        return f"must take {_IN_WORDS[len(parameters)]} arguments: {', '.join(parameters)}"
    return None
