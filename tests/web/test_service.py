"""What a door leaves behind of requests that it refuses itself."""

import attrs
import pytest
import trio
from attrs import define, field

from clawgw.config.callers import Callers, key_digest
from clawgw.config.settings import Settings
from clawgw.config.tables.callers import Key
from clawgw.config.tables.server import Server
from clawgw.errors import LogSpoolFull
from clawgw.ledger.record import Opening, RequestRecord
from tests.web import serving

ALICE = Key("alice", key_digest("clawgw-alice").hex(), labels={"team": "search"})
HEAD = b"authorization: Bearer clawgw-alice\r\nx-request-id: mine-1\r\n"


@define
class FakeLedger:
    """Keeps the records, as long as there is room."""

    records: list[RequestRecord] = field(factory=list)
    full: bool = False

    def intend(self, opening: Opening) -> None:
        raise AssertionError(opening)

    def request_ended(self, record: RequestRecord) -> None:
        if self.full:
            raise LogSpoolFull("no room")
        self.records.append(record)

    async def durable(self) -> None:
        raise AssertionError


async def client_of(nursery: trio.Nursery, ledger: FakeLedger) -> serving.Client:
    callers = Callers.of(Settings(keys=(ALICE,)))
    snapshot = attrs.evolve(serving.snapshot(Server(max_body_bytes=100)), callers=callers)
    service = serving.service(serving.hello, snapshot)
    service.ledger = ledger
    return await (await serving.serve(nursery, service)).connect()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, None),
        (b'{"model": "m", "messages": []}', 400, None),
        (b"x" * 101, 413, "request_too_large"),
    ],
)
async def test_what_is_refused_at_the_door_has_a_record(
    nursery: trio.Nursery, body: bytes, status: int, code: str | None
) -> None:
    ledger = FakeLedger()
    answer = await (await client_of(nursery, ledger)).post(body, head=HEAD)
    assert answer.status == status
    (record,) = ledger.records
    assert (record.request_id, record.client_request_id) == (answer.headers["x-request-id"], "mine-1")
    assert (record.endpoint, record.key, record.labels) == ("chat.completions", "alice", {"team": "search"})
    assert (record.outcome, record.status, record.error_code, record.attempts) == ("error", status, code, ())
    assert record.config_version == serving.VERSION
    assert 0 < record.duration_ms < 10_000


async def test_nobody_knows_whose_a_request_without_a_good_key_is(nursery: trio.Nursery) -> None:
    ledger = FakeLedger()
    client = await client_of(nursery, ledger)
    assert (await client.post(serving.CHAT)).status == 401
    assert ledger.records == []


async def test_a_full_log_does_not_change_what_the_client_has_done_wrong(nursery: trio.Nursery) -> None:
    client = await client_of(nursery, FakeLedger(full=True))
    assert (await client.post(b"{", head=HEAD)).status == 400
