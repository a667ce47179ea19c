"""How much goes to a store at once."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

MAX_DOCUMENTS = 500
MAX_BYTES = 8 * 1024 * 1024


class Sized(Protocol):
    """A document as it goes over the wire."""

    @property
    def size(self) -> int:
        """In bytes."""


T = TypeVar("T", bound=Sized)


def batches(documents: Iterable[T]) -> Iterator[Sequence[T]]:
    """All of them in order, none empty; one that is too large for any batch goes alone."""
    batch, size = list[T](), 0
    for document in documents:
        if batch and (len(batch) == MAX_DOCUMENTS or size + document.size > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(document)
        size += document.size
    if batch:
        yield batch
