import os

import pytest

from clawgw.limits.bucket import Bucket, Claim
from clawgw.limits.shared import SharedStore
from clawgw.limits.table import ROW, WINDOW, Table, create_shared
from tests.limits.direct import Directly
from tests.limits.processes import NOON

SECRET = "a-name-of-a-client's-making"


def row(key: bytes, idle_ms: int) -> bytes:
    return key + idle_ms.to_bytes(8, "little") + bytes(ROW - 24)


def test_what_was_written_is_found_by_its_name_alone() -> None:
    table = Table()
    here, there = table.address("here"), table.address("there")
    written = row(here.key, 5)
    table.write([(here, None, written)], now_ms=1)
    slot, found = table.find(table.address("here"))
    assert (slot, found) == (here.home, written)
    assert table.find(there) == (None, bytes(ROW))
    table.close()


def test_more_than_the_log_holds_is_written_all_the_same() -> None:
    table = Table()
    addresses = [table.address(str(number)) for number in range(200)]
    table.write([(address, None, row(address.key, 5)) for address in addresses], now_ms=1)
    assert [table.find(address)[1] for address in addresses] == [row(address.key, 5) for address in addresses]
    assert table.evicted == 0
    table.close()


def test_neighbours_that_are_written_at_once_get_slots_of_their_own() -> None:
    table = Table()
    neighbours = [table.address("one")]
    neighbours += [neighbours[0]._replace(key=bytes([number] * 16)) for number in range(1, WINDOW)]
    table.write([(address, None, row(address.key, 5)) for address in neighbours], now_ms=1)
    assert len({table.find(address)[0] for address in neighbours}) == WINDOW
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
