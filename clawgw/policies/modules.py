"""Modules made from the sources that a configuration has read.

They lie in a package whose name holds the configuration's version, so that an old and a new version serve side by side,
and in `sys.modules`, because dataclasses look there. Nothing comes from a cache of bytecode, and relative imports find
only what the configuration has read.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import ExecutionLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import decode_source, spec_from_loader
from itertools import count
from types import CodeType, ModuleType

from attrs import define, field

from clawgw.config.snapshot import PolicySource

PREFIX = "clawgw_policies_"
_numbers = count(1)


@define(eq=False)
class PolicyPackage(MetaPathFinder, ExecutionLoader):
    """The modules of one version; they can be imported until `close`."""

    version: str
    sources: Mapping[str, PolicySource]
    name: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Make the package known to Python's import."""
        self.name = f"{PREFIX}{self.version}_{next(_numbers)}"
        package = ModuleType(self.name)
        package.__path__ = []
        sys.modules[self.name] = package
        sys.meta_path.append(self)

    def close(self) -> None:
        """Forget the modules. Functions that are held go on working."""
        sys.meta_path.remove(self)
        for name in [name for name in sys.modules if name == self.name or name.startswith(f"{self.name}.")]:
            del sys.modules[name]

    def load(self, module: str) -> ModuleType:
        """Import one module. Raises whatever its code does."""
        return import_module(f"{self.name}.{module}")

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """For Python's import: one of ours, or None."""
        package, _, module = fullname.rpartition(".")
        return spec_from_loader(fullname, self) if package == self.name and module in self.sources else None

    def is_package(self, _fullname: str) -> bool:
        """Policies lie in one flat folder."""
        return False

    def get_filename(self, fullname: str) -> str:
        """`__file__`."""
        return str(self._source(fullname).path)

    def get_source(self, fullname: str) -> str:
        """The text, for tracebacks and `inspect`."""
        return decode_source(self._source(fullname).source)

    def get_code(self, fullname: str) -> CodeType:
        """The module's code, whose file name is the one that messages show."""
        source = self._source(fullname)
        return compile(source.source, source.shown, "exec", dont_inherit=True)

    def _source(self, fullname: str) -> PolicySource:
        return self.sources[fullname.rpartition(".")[2]]
