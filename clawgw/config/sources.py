"""What a configuration is loaded from beside its own text: variables, and files that it names.

Everything that is looked at goes into a hash, so that the version changes exactly when something that was loaded does.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import define, field

from clawgw.config.snapshot import Secret

ReadFile = Callable[[Path], bytes]
"""Reads a whole file; raises OSError."""

_KEY = re.compile(r"[!-~]+")


class UnreadableError(Exception):
    """A file that cannot be read, or a secret that cannot be one. The message names where it is, never what it is."""


@define
class Sources:
    """Variables and files as one load sees them. Relative file names start at `folder`, the configuration's own."""

    environ: Mapping[str, str] = field(repr=False)
    read_file: ReadFile
    folder: Path
    _hash: Any = field(factory=hashlib.sha256, init=False, repr=False)

    def variable(self, name: str) -> str | None:
        """A variable's value without white space around it; None where it is empty or not set."""
        value = self.environ.get(name, "").strip()
        self.note(name, value)
        return value or None

    def file(self, name: str) -> bytes:
        """A file's content. Raises UnreadableError."""
        try:
            content = self.read_file(self.folder / name)
        except OSError as error:
            raise UnreadableError(f"{name} cannot be read: {error.strerror or 'no reason given'}") from None
        self.note(name, content)
        return content

    def address(self, text: str) -> Secret | None:
        """An address, or what `env:NAME` or `file:PATH` stands for, as `secret` has it: it may hold a password."""
        return self.secret(text, "address") if text.startswith(("env:", "file:")) else Secret(text)

    def secret(self, reference: str, what: str = "key") -> Secret | None:
        """What `env:NAME` or `file:PATH` stands for; None: the variable is not set. Raises UnreadableError."""
        kind, _, name = reference.partition(":")
        if kind == "env":
            value = self.variable(name)
            if value is None:
                return None
        else:
            value = self.file(name).decode("latin-1").strip()
        if not _KEY.fullmatch(value):
            raise UnreadableError(f"{name} must hold one {what}: visible ASCII characters without spaces")
        return Secret(value)

    def note(self, *parts: str | bytes) -> None:
        """Add something that was loaded to the hash."""
        for part in parts:
            data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            self._hash.update(len(data).to_bytes(8, "big") + data)

    def version(self) -> str:
        """12 hex digits of a SHA-256 over everything that was looked at so far."""
        return str(self._hash.hexdigest())[:12]
