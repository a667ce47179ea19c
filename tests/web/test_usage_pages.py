from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from clawgw.config.callers import Caller
from clawgw.config.tables.log import Log
from clawgw.errors import InvalidApiKey, InvalidRequest, LogUnreadable, NotFound
from clawgw.ledger import reading
from clawgw.ledger.sinks.schema import open_database, transaction
from clawgw.web import usage_pages
from tests.ledger.requests_table import row, write
from tests.web import serving
from tests.web.test_auth import BEARER, CALLERS, ROOT_BEARER

ALICE, ROOT, NOBODY = Caller("alice"), Caller("root", admin=True), Caller()
ANYONE = Caller(admin=True)
NOON = 1_795_435_200_000


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "clawgw.db"
    connection = open_database(path)
    with transaction(connection):
        write(
            connection,
            [
                row("req_a", NOON, key="alice", client_request_id="same"),
                row("req_b", NOON, key="bob", client_request_id="same"),
                row("req_n", NOON),
            ],
        )
    connection.close()
    return path


async def usage(log: Path, caller: Caller, **arguments: Sequence[str]) -> Mapping[str, Any]:
    return await usage_pages.usage(log, caller, {name.rstrip("_"): values for name, values in arguments.items()})


@pytest.mark.parametrize(
    ("caller", "arguments", "keys"),
    [
        (ALICE, {}, ["alice"]),
        (ALICE, {"key": ["alice"]}, ["alice"]),
        (ROOT, {}, ["alice", "bob", None]),
        (ROOT, {"key": ["bob"]}, ["bob"]),
        (ANYONE, {}, ["alice", "bob", None]),
    ],
)
async def test_ones_own_key_or_all_for_an_admin(
    log: Path, caller: Caller, arguments: Mapping[str, Sequence[str]], keys: Sequence[str | None]
) -> None:
    answer = await usage(log, caller, group_by=["key"], **arguments)
    assert sorted((each["key"] for each in answer["data"]), key=str) == sorted(keys, key=str)
    assert answer["total"]["requests"] == len(keys)


@pytest.mark.parametrize(
    ("arguments", "param"),
    [
        ({"group_by": ["team"]}, "group_by"),
        ({"groupby": ["key"]}, "groupby"),
        ({"from_": ["soon"]}, "from"),
        ({"to": ["2026-01-01", "2026-01-02"]}, "to"),
        ({"limit": ["-1"]}, "limit"),
        ({"key": ["bob"]}, "key"),
    ],
)
async def test_bad_arguments_are_named(log: Path, arguments: Mapping[str, Sequence[str]], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await usage(log, ALICE, **arguments)
    assert caught.value.param == param


async def test_where_keys_exist_nothing_is_nobodys(log: Path) -> None:
    with pytest.raises(InvalidApiKey):
        await usage(log, NOBODY)
    with pytest.raises(InvalidApiKey):
        await usage_pages.record(log, NOBODY, "req_n")


@pytest.mark.parametrize(
    ("caller", "request_id", "found"),
    [(ALICE, "req_a", "req_a"), (ALICE, "same", "req_a"), (ROOT, "req_b", "req_b"), (ANYONE, "req_n", "req_n")],
)
async def test_a_record_by_either_id(log: Path, caller: Caller, request_id: str, found: str) -> None:
    record = await usage_pages.record(log, caller, request_id)
    assert (record["object"], record["request_id"]) == ("request", found)


async def test_a_foreign_record_is_as_one_that_is_not_there(log: Path, autojump_clock: trio.testing.MockClock) -> None:
    said = []
    for request_id in ("req_b", "req_z"):
        with pytest.raises(NotFound) as caught:
            await usage_pages.record(log, ALICE, request_id)
        said.append((caught.value.message, caught.value.param, caught.value.code))
    assert said[0] == said[1]


async def test_a_request_that_has_just_ended_is_waited_for(
    log: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    answers = [None, None, {"request_id": "req_new"}]

    async def in_thread(_: object) -> Any:
        return answers.pop(0)

    monkeypatch.setattr(usage_pages, "_in_thread", in_thread)
    record = await usage_pages.record(log, ROOT, "req_new")
    assert record == {"object": "request", "request_id": "req_new"}


async def test_what_takes_too_long_asks_for_less(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> None:
        raise reading.TooSlow

    monkeypatch.setattr(reading, "usage", slow)
    with pytest.raises(InvalidRequest, match="less time") as caught:
        await usage(log, ROOT)
    assert caught.value.param == "from"


async def test_a_log_that_cannot_be_read_is_not_shown_but_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "clawgw.db"
    broken.write_bytes(b"garbage" * 1000)
    for asking in (usage(broken, ROOT), usage_pages.record(broken, ROOT, "req_a")):
        with pytest.raises(LogUnreadable) as caught:
            await asking
        assert str(tmp_path) not in caught.value.message
    assert [f"{broken}: file is not a database" in record.message for record in caplog.records] == [True, True]


async def test_both_pages_over_http(log: Path, nursery: trio.Nursery) -> None:
    plain = serving.snapshot(providers=[serving.provider("openai")])
    settings = attrs.evolve(plain.settings, log=Log(path=str(log)))
    snapshot = attrs.evolve(plain, callers=CALLERS, settings=settings)
    running = await serving.serve(nursery, serving.service(serving.hello, snapshot))
    client = await running.connect()

    mine = await client.get("/v1/usage?group_by=key&group_by=day&from=2026-11-01", head=BEARER)
    assert [(each["key"], each["day"], each["requests"]) for each in mine.json["data"]] == [("alice", "2026-11-23", 1)]
    everyones = await client.get("/v1/usage", head=ROOT_BEARER)
    assert everyones.json["total"]["requests"] == 3
    refused = await client.get("/v1/usage?group_by=team", head=BEARER)
    assert (refused.status, refused.error["param"]) == (400, "group_by")
    record = await client.get("/v1/requests/same", head=BEARER)
    assert record.json["request_id"] == "req_a"
    foreign = await client.get("/v1/requests/req_b", head=BEARER)
    assert (foreign.status, foreign.error["code"]) == (404, "not_found")
    assert (await client.get("/v1/usage")).status == 401
