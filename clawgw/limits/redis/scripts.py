"""The Lua scripts that run in Redis: each reads the time there, and each is one atomic step."""

import hashlib
from importlib.resources import files

from attrs import field, frozen

from clawgw.limits.places import LEASE_MS, LEASE_TICKS


@frozen(eq=False)
class Script:
    """One script, known to Redis by its digest once it has run. It takes many calls at once, see `batch.lua`."""

    source: str = field(repr=False)
    digest: str


@frozen
class Scripts:
    """All of them, and how long the leases are that they give."""

    reserve: Script
    settle: Script
    renew: Script
    seed: Script
    beat: Script
    lease_ms: int

    @classmethod
    def read(cls, lease_ms: int = LEASE_MS, clock: str | None = None) -> "Scripts":
        """Those beside this file. Tests have leases and a `clock` of their own: Lua that defines `now_ms()`."""
        lease = f"local LEASE_TICKS, LEASE_TICK_MS = {LEASE_TICKS}, {lease_ms // LEASE_TICKS}"
        shared = [lease, clock or _part("clock"), _part("level")]
        names = ("reserve", "settle", "renew", "seed", "beat")
        return cls(lease_ms=lease_ms, **{name: _script(*shared, _part(name), _part("batch")) for name in names})


def _script(*parts: str) -> Script:
    source = "\n".join(parts)
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


def _part(name: str) -> str:
    return (files(__package__) / "lua" / f"{name}.lua").read_text()
