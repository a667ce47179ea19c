import os

import pytest
from attrs import define

from clawgw.limits.bucket import Bucket
from clawgw.limits.shared import SharedStore
from clawgw.limits.table import NOWHERE, ROW, WINDOW, Address, Table, create_shared
from tests.limits.claims import Claim
from tests.limits.direct import Directly
from tests.limits.processes import NOON

SECRET = "a-name-of-a-client's-making"


@define
class Something:
    """To write."""

    address: Address
    slot: int = NOWHERE

    def row(self) -> bytes:
        return self.address.key + (5).to_bytes(8, "little") + bytes(ROW - 24)


def read(table: Table, slot: int) -> bytes:
    return table.memory[slot : slot + ROW]


def test_what_was_written_is_found_by_its_name_alone() -> None:
    table = Table()
    written = Something(table.address("here"))
    table.write([written], now_ms=1)
    slot = table.find(table.address("here"))
    assert (slot, read(table, slot)) == (written.address.home, written.row())
    nowhere = table.find(table.address("there"))
    assert (nowhere, read(table, nowhere)) == (NOWHERE, bytes(ROW))
    table.close()


def test_more_than_the_log_holds_is_written_all_the_same() -> None:
    fd = create_shared()
    table = Table(fd)
    written = [Something(table.address(str(number))) for number in range(200)]
    table.write(written, now_ms=1)
    assert [read(table, table.find(one.address)) for one in written] == [one.row() for one in written]
    assert table.evicted == 0
    table.close()
    os.close(fd)


def test_neighbours_that_are_written_at_once_get_slots_of_their_own() -> None:
    table = Table()
    first = table.address("one")
    neighbours = [Something(first), *(Something(first._replace(key=bytes([n] * 16))) for n in range(1, WINDOW))]
    table.write(neighbours, now_ms=1)
    assert len({table.find(one.address) for one in neighbours}) == WINDOW
    assert table.evicted == 0
    table.close()


@pytest.mark.parametrize("kernel_has_memfd", [True, False])
def test_nothing_of_a_clients_making_is_stored(*, kernel_has_memfd: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not kernel_has_memfd:
        monkeypatch.delattr(os, "memfd_create")
    fd = create_shared()
    store = Directly(SharedStore(fd, lambda: NOON))
    assert store.passes(SECRET, Claim(Bucket("quota", SECRET, "requests", 10), 1))
    everything = os.pread(fd, os.fstat(fd).st_size, 0)
    store.close()
    os.close(fd)
    assert any(everything[8192:])
    assert SECRET.encode() not in everything


def test_two_tables_put_the_same_name_in_different_places() -> None:
    one, other = Table(), Table()
    assert one.address(SECRET).key != other.address(SECRET).key
    one.close()
    other.close()
