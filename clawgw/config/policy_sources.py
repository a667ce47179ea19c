"""The files of `[policies]` that the configuration names, and those that they import from beside them: read, never run.

What is loaded later is exactly what was read here, so the version speaks for it.
"""

import ast
from collections.abc import Iterator
from pathlib import PurePath
from typing import Literal

from attrs import define, field, frozen

from clawgw.config.mistakes import Mistake, path_of
from clawgw.config.settings import Settings
from clawgw.config.snapshot import PolicySource
from clawgw.config.sources import Sources, UnreadableError

PolicyKind = Literal["route", "quota"]


@frozen
class PolicyName:
    """`module:function`, and what it is there for, which says how it is called."""

    reference: str
    kind: PolicyKind

    @property
    def module(self) -> str:
        """The file's name without `.py`."""
        return self.reference.partition(":")[0]

    @property
    def function(self) -> str:
        """The function's name in its module."""
        return self.reference.partition(":")[2]


def named_policies(settings: Settings) -> Iterator[tuple[str, PolicyName]]:
    """Every policy that is named, after the path of the key that names it."""
    for name, route in settings.routes.items():
        if route.policy is not None:
            yield path_of("routes", name, "policy"), PolicyName(route.policy, "route")
    for index, reference in enumerate(settings.policies.quota):
        yield path_of("policies", "quota", index), PolicyName(reference, "quota")


@define
class PolicyReader:
    """Reads modules of one folder through `sources`, and gathers what is wrong with the files."""

    sources: Sources
    folder: str
    mistakes: list[Mistake] = field(factory=list, init=False)

    def read(self, settings: Settings) -> dict[str, PolicySource]:
        """Every module that a policy needs, by name."""
        modules = dict[str, PolicySource]()
        for path, policy in named_policies(settings):
            try:
                self._add(policy.module, modules)
            except UnreadableError as error:
                self.mistakes.append(Mistake(path, str(error)))
        return modules

    def _add(self, module: str, modules: dict[str, PolicySource]) -> None:
        """A module and its siblings. A sibling that is not there is left to the import, which may do without it."""
        if module in modules:
            return
        file = PurePath(self.folder, f"{module}.py")
        modules[module] = PolicySource(str(file), self.sources.folder / file, self.sources.file(str(file)))
        for sibling in siblings(modules[module].source):
            try:
                self._add(sibling, modules)
            except UnreadableError:
                continue


def siblings(source: bytes) -> Iterator[str]:
    """The modules that a source imports from its own folder: `from .prices import …`, `from . import prices`."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            yield from [node.module] if node.module else [alias.name for alias in node.names]
