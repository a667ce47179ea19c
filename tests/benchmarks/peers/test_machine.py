import os
from collections.abc import Sequence

import pytest

from benchmarks.peers.machine import Cores, description, on, usable_cores


@pytest.mark.parametrize(
    ("usable", "cores"),
    [
        ([0, 1, 2, 3, 4], Cores(0, [1], 2, 3)),
        ([4, 5, 6, 7], Cores(4, [5], 6, 7)),
        ([0, 1], Cores(0, [1], 0, 1)),
        ([2], Cores(2, [2], 2, 2)),
    ],
)
def test_each_duty_has_a_core_while_there_are_some(usable: Sequence[int], cores: Cores) -> None:
    assert Cores.apart(usable) == cores


@pytest.mark.parametrize(("usable", "cores"), [([0, 1, 2, 3], Cores(0, [1, 2, 3], 0, 0)), ([2], Cores(2, [2], 2, 2))])
def test_workers_get_all_cores_but_one(usable: Sequence[int], cores: Cores) -> None:
    assert Cores.for_workers(usable) == cores


def test_a_core_is_left_again() -> None:
    before, last = os.sched_getaffinity(0), usable_cores()[-1]
    with on(last):
        assert os.sched_getaffinity(0) == {last}
    assert os.sched_getaffinity(0) == before


def test_the_machine_is_told_in_a_line() -> None:
    assert description().startswith(f"{len(usable_cores())} cores of ")
    assert "\n" not in description()
