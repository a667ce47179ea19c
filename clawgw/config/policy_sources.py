"""The files of `[policies]` that routes name, and those that they import from beside them: read, never run.

What is loaded later is exactly what was read here, so the version speaks for it.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import PurePath

from attrs import define, field

from clawgw.config.mistakes import Mistake, path_of
from clawgw.config.settings import Route
from clawgw.config.snapshot import PolicySource
from clawgw.config.sources import Sources, UnreadableError


@define
class PolicyReader:
    """Reads modules of one folder through `sources`, and gathers what is wrong with the files."""

    sources: Sources
    folder: str
    mistakes: list[Mistake] = field(factory=list, init=False)

    def read(self, routes: Mapping[str, Route]) -> dict[str, PolicySource]:
        """Every module that a route's policy needs, by name."""
        modules = dict[str, PolicySource]()
        for name, route in routes.items():
            if route.policy is not None:
                try:
                    self._add(route.policy.partition(":")[0], modules)
                except UnreadableError as error:
                    self.mistakes.append(Mistake(path_of("routes", name, "policy"), str(error)))
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
