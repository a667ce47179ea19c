"""A chat request on its way to one target: a copy of the caller's body that is fitted step by step.

Hints that the target cannot take are dropped and named; features that change the answer's meaning are refused, so that
another target can serve the request. The caller's own dict is never changed.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from attrs import define, field

from clawgw.wire.codec import WireTarget
from clawgw.wire.failure import Failure, Kind, WireError

_NOT_ASKED: Mapping[str, Any] = {"n": 1, "modalities": ["text"], "top_logprobs": 0}
_TAKEN_ANYWHERE: tuple[tuple[str, Any], ...] = (("n", 1), ("stop", []))
"""What upstreams without the feature take all the same, so that a request need not be touched."""


@lru_cache(maxsize=4096)
def matches(model: str, patterns: tuple[str, ...]) -> bool:
    """Whether one of the shell-style `patterns` fits the model's name, in any case."""
    name = model.lower()
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def without(fields: dict[str, Any], names: AbstractSet[str]) -> dict[str, Any]:
    """The same dict where it has none of the names, else a copy that has none."""
    return fields if names.isdisjoint(fields) else {key: value for key, value in fields.items() if key not in names}


def unsupported(target: WireTarget, feature: str, param: str) -> WireError:
    """A feature that this target lacks; nothing is sent to it."""
    message = f"{target.provider}/{target.model} does not support {feature}."
    return WireError(Failure(Kind.UNSUPPORTED, message, code="unsupported_parameter", param=param))


@define
class Draft:
    """The body so far. `messages` and what lies in other fields is still the caller's: replace it, do not change it."""

    body: dict[str, Any]
    target: WireTarget
    _dropped: set[str] = field(factory=set)

    def dropped(self, asked: Mapping[str, Any]) -> list[str]:
        """The dropped fields that the request itself had, sorted: defaults of ours are nobody's loss."""
        if not self._dropped:
            return []
        return sorted([name for name in self._dropped if asked.get(name) is not None])

    def asks(self, name: str) -> bool:
        """Whether the request asks for a feature: its field says something other than "no" or "as usual"."""
        value = self.body.get(name)
        return value not in (None, False, [], _NOT_ASKED.get(name))

    def drop(self, *names: str) -> None:
        """Leave hints out."""
        for name in names:
            if self.body.pop(name, None) is not None:
                self._dropped.add(name)

    def refuse(self, *names: str) -> None:
        """Raise `WireError` of kind UNSUPPORTED where one of these is asked for; leave it out where it says no."""
        for name in names:
            if self.asks(name):
                raise unsupported(self.target, f"`{name}`", name)
            if (name, self.body.get(name)) not in _TAKEN_ANYWHERE:
                self.body.pop(name, None)

    def rename(self, name: str, new_name: str) -> None:
        """Move a field; where the new one is there already, it wins."""
        value = self.body.pop(name, None)
        if value is not None:
            self.body.setdefault(new_name, value)

    def replace(self, name: str, values: Mapping[str, str | None]) -> None:
        """Put the nearest value the target knows in the place of one it does not; None: there is none, so drop it."""
        value = self.body.get(name)
        if isinstance(value, str) and value in values:
            nearest = values[value]
            if nearest is None:
                self.drop(name)
            else:
                self.body[name] = nearest
