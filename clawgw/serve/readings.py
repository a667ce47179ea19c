"""The files that one load has looked at, and what it found there.

So that a load can be repeated exactly in another process, and that it can be told when it would find something else.
"""

import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from attrs import define, field

Found = bytes | int
"""A file's content, or the error's number (errno) where it cannot be read."""


@define
class Readings:
    """Reads every file once; `read` is a `config.sources.ReadFile`."""

    _found: dict[str, Found] = field(factory=dict, repr=False)

    def read(self, path: Path) -> bytes:
        """A file's content as it was when it was read first. Raises OSError."""
        name = str(path)
        if name not in self._found:
            self._found[name] = _look(name)
        found = self._found[name]
        if isinstance(found, int):
            raise OSError(found, os.strerror(found), name)
        return found

    def changed(self) -> Sequence[str]:
        """The files that are not any more what they were."""
        return [name for name, found in self._found.items() if _look(name) != found]

    def gone_since(self, earlier: Self) -> Sequence[str]:
        """The files that were there earlier and are not any more, where both have looked for them."""
        was_there = [name for name, found in earlier._found.items() if isinstance(found, bytes)]
        return [name for name in was_there if self._found.get(name) == errno.ENOENT]

    def as_json(self) -> dict[str, str | int]:
        """Secrets and all."""
        return {
            name: found if isinstance(found, int) else found.decode("latin-1") for name, found in self._found.items()
        }

    @classmethod
    def of_json(cls, plain: Mapping[str, str | int]) -> Self:
        """The same readings."""
        found = {name: each if isinstance(each, int) else each.encode("latin-1") for name, each in plain.items()}
        return cls(found)


def _look(name: str) -> Found:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        return error.errno or errno.EIO
