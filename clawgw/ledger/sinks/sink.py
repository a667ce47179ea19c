"""What a sink is. Pure: the stores themselves are in modules of their own."""

from collections.abc import Sequence
from typing import Protocol

from attrs import frozen

from clawgw.ledger.document import Document


@frozen
class Rejected:
    """A dead letter: a document that the store will never take. The reason holds no secret."""

    document: Document
    reason: str


class SinkAway(Exception):
    """The store cannot be reached or cannot write at present; the same documents will be delivered again."""

    def __init__(self, reason: str) -> None:
        """`reason` is logged: it holds no secret, so no address with a password."""
        super().__init__(reason)
        self.reason = reason


class Sink(Protocol):
    """A store of records. Used by one thread, which it may block."""

    name: str
    """As cursors and dead letters are kept under it: lower-case letters."""

    def deliver(self, documents: Sequence[Document]) -> Sequence[Rejected]:
        """Return once every document is durable, but for those that are rejected.

        A document may come more than once, alone or in one call: it is one record to the store (`request_id`), and
        the last one counts. Raises `SinkAway`.
        """

    def close(self) -> None:
        """Let go of the store."""
