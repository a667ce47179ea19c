import gc
from collections.abc import Iterator

import pytest

from clawgw.serve.collecting import THRESHOLDS, set_aside, take_back


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_lasts_is_not_looked_through() -> None:
    lasting: list[list[int]] = [[]]
    set_aside()
    assert not any(each is lasting for each in gc.get_objects())
    assert gc.get_threshold() == THRESHOLDS


def test_what_is_taken_back_is() -> None:
    lasting: list[list[int]] = [[]]
    set_aside()
    take_back()
    assert any(each is lasting for each in gc.get_objects())
