"""Policies for these tests, as a configuration would have read them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from clawgw.config.policy_sources import PolicyName
from clawgw.config.snapshot import PolicySource
from clawgw.policies.functions import PolicyFunction, import_function
from clawgw.policies.modules import PolicyPackage
from clawgw.policy import RequestFacts, Target, TargetView

FACTS = RequestFacts("fast", user="a-secret-user", metadata={"k": "a-secret-value"})
A, B = Target("a", "m"), Target("b", "m")
VIEWS = [TargetView(A), TargetView(B)]
MINE = PolicyName("mine:route", "route")
QUOTA = PolicyName("mine:quota", "quota")


def sources(**modules: str) -> dict[str, PolicySource]:
    """Modules by name."""
    return {
        name: PolicySource(f"policies/{name}.py", Path(f"/nowhere/policies/{name}.py"), text.encode())
        for name, text in modules.items()
    }


@contextmanager
def package(modules: Mapping[str, PolicySource], version: str = "0123456789ab") -> Iterator[PolicyPackage]:
    """A package that is closed in the end."""
    opened = PolicyPackage(version, modules)
    try:
        yield opened
    finally:
        opened.close()


def policy(body: str) -> PolicyFunction:
    """`route` of `policies/mine.py`, with all of `clawgw.policy` and `spin()`; line 5 is the body's first.

    `spin` is a function because Python 3.11 lets a signal's exception pass by a `try` around an empty loop itself.
    """
    text = "from clawgw.policy import *\ndef spin():\n    while True: pass\ndef route(request, targets, options):\n"
    text += "".join(f"    {line}\n" for line in body.splitlines())
    with package(sources(mine=text)) as mine:
        return import_function(mine, MINE)


def quota(body: str) -> PolicyFunction:
    """The same for `quota` of `policies/mine.py`, whose one-line body is line 4."""
    text = f"from clawgw.policy import *\ndef spin():\n    while True: pass\ndef quota(request, options): {body}"
    with package(sources(mine=text)) as mine:
        return import_function(mine, QUOTA)
