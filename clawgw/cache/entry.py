"""One answer as it is kept, and as bytes that another process can read. Pure."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Self

import orjson
from attrs import asdict, evolve, frozen

from clawgw.policy import Target
from clawgw.wire.codec import Completion
from clawgw.wire.usage import Usage, usage_from_body

_DIGEST = 16
_OVERHEAD = 1024
"""About what an entry takes beside its body: objects, a place in a table."""


@frozen
class Entry:
    """`body` is the JSON of a whole answer; `usage` its usage object; `at` when it was given, in Unix seconds."""

    body: bytes
    provider: str
    model: str
    at: float
    usage: Mapping[str, Any] | None = None
    finish_reason: str | None = None
    dropped: tuple[str, ...] = ()

    @classmethod
    def of(cls, completion: Completion, target: Target, dropped: Sequence[str], at: float) -> Self:
        """An answer that `target` has given."""
        usage = completion.usage.body if completion.usage else None
        body = orjson.dumps(completion.body)
        return cls(body, target.provider, target.model, at, usage, completion.finish_reason, tuple(dropped))

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.body) + _OVERHEAD

    def used(self) -> Usage | None:
        """The usage that the answer tells of."""
        return None if self.usage is None else evolve(usage_from_body(dict(self.usage)), body=dict(self.usage))

    def encode(self) -> bytes:
        """A digest, a line about the answer, and its body."""
        about = orjson.dumps(asdict(self, filter=lambda attribute, _: attribute.name != "body"))
        written = about + b"\n" + self.body
        return _digest(written) + written

    @classmethod
    def decode(cls, data: bytes) -> Self | None:
        """What `encode` has written; None for anything else, such as half of it."""
        written = data[_DIGEST:]
        if data[:_DIGEST] != _digest(written):
            return None
        line, _, body = written.partition(b"\n")
        about = orjson.loads(line)
        return cls(**{**about, "body": body, "dropped": tuple(about["dropped"])})


def _digest(written: bytes) -> bytes:
    return blake2b(written, digest_size=_DIGEST).digest()
