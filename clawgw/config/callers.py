"""Who asks: a key as the configuration has it, found by the hash of what a client presents."""

import re
from collections.abc import Mapping
from fnmatch import translate
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from typing import Self

from attrs import field, frozen

from clawgw.config.settings import Settings
from clawgw.config.tables.callers import Key
from clawgw.config.tables.limits import Budget, RateLimits

_PREFIX = 16


@lru_cache
def _compile(globs: tuple[str, ...]) -> re.Pattern[str]:
    """What matches any of the globs and nothing else. Many keys have the same ones."""
    return re.compile("|".join(map(translate, globs)) or "(?!)")


@frozen
class Caller:
    """Whoever sends a request. `name` is that of the key; None: nobody has to say who they are."""

    name: str | None = None
    models: tuple[str, ...] = ("*",)
    admin: bool = False
    labels: Mapping[str, str] = field(factory=dict)
    limits: RateLimits | None = None
    budget: Budget | None = None
    _globs: re.Pattern[str] = field(init=False, eq=False, repr=False)
    """All of `models` in one."""

    @_globs.default
    def _compiled(self) -> re.Pattern[str]:
        return _compile(self.models)

    @classmethod
    def of(cls, key: Key) -> Self:
        """The holder of a key."""
        return cls(key.name, key.models, key.admin, key.labels, key.limits, key.budget)

    def may_use(self, model: str) -> bool:
        """Whether one of the globs covers a name that a client asks for."""
        return self._globs.match(model) is not None


NOBODY = Caller()
"""Nobody in particular."""


@frozen
class Callers:
    """All who may come in. `anonymous` is who everybody else is; None where a key is required."""

    anonymous: Caller | None = Caller(admin=True)
    _by_prefix: Mapping[bytes, tuple[bytes, Caller]] = field(factory=dict, repr=False)
    """Digest and caller, by the digest's first bytes."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As `[auth]` and `[[keys]]` say: a key is required as soon as there is one, unless `required` says else."""
        keys, required = settings.keys, settings.auth.required
        if required is None:
            required = bool(keys)
        digests = [(bytes.fromhex(key.sha256), Caller.of(key)) for key in keys]
        return cls(
            None if required else Caller(admin=not keys), {digest[:_PREFIX]: (digest, who) for digest, who in digests}
        )

    def find(self, presented: str) -> Caller | None:
        """Who presents this; None: nobody who may come in.

        Only SHA-256 digests are kept and compared, in constant time: how long it takes does not say how much of a key
        was right.
        """
        digest = key_digest(presented)
        known = self._by_prefix.get(digest[:_PREFIX])
        return known[1] if known is not None and compare_digest(known[0], digest) else self.anonymous


def key_digest(key: str) -> bytes:
    """The SHA-256 of a key, which is all that a configuration holds of it."""
    return sha256(key.encode("utf-8", "surrogatepass")).digest()
