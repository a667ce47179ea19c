from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from clawgw.ledger.sinks.batches import MAX_BYTES, MAX_DOCUMENTS, batches


@frozen
class Sized:
    number: int
    size: int


def lengths(sizes: list[int]) -> list[int]:
    return [len(batch) for batch in batches(Sized(number, size) for number, size in enumerate(sizes))]


def test_five_hundred_documents_or_eight_mebibytes() -> None:
    assert lengths([]) == []
    assert lengths([1] * 1001) == [500, 500, 1]
    assert lengths([3 * 1024 * 1024] * 5) == [2, 2, 1]
    assert lengths([4 * 1024 * 1024] * 2) == [2]


def test_one_that_is_too_large_goes_alone() -> None:
    assert lengths([1, 9 * 1024 * 1024, 1, 1]) == [1, 1, 2]


@given(st.lists(st.integers(0, MAX_BYTES + 1), max_size=1200))
def test_nothing_is_left_out_or_out_of_order(sizes: list[int]) -> None:
    documents = [Sized(number, size) for number, size in enumerate(sizes)]
    split = list(batches(documents))
    assert [document for batch in split for document in batch] == documents
    for batch in split:
        assert 1 <= len(batch) <= MAX_DOCUMENTS
        assert len(batch) == 1 or sum(document.size for document in batch) <= MAX_BYTES
