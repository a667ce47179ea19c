import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from clawgw.config.mistakes import ConfigError
from clawgw.config.snapshot import ReadyMongo, Secret
from clawgw.ledger.sinks import mongo
from clawgw.ledger.sinks.mongo import MongoSink
from clawgw.ledger.sinks.sink import Rejected, SinkAway
from tests.ledger.sinks.documents import documents, one
from tests.ledger.sinks.mongodb import MongoServer
from tests.ledger.sinks.scripted_mongo import ScriptedMongo

AT = datetime(2100, 1, 1, 0, 0, 0, 123_000, tzinfo=UTC)
Opener = Callable[..., MongoSink]


@pytest.fixture
def opened() -> Iterator[Opener]:
    sinks = list[MongoSink]()

    def open_sink(url: str, retention_days: int = 30) -> MongoSink:
        sinks.append(MongoSink(ReadyMongo(Secret(url), "clawgw", "requests"), retention_days))
        return sinks[-1]

    yield open_sink
    for sink in sinks:
        sink.close()


def stored(server: MongoServer) -> dict[str, Any]:
    return {document["_id"]: document for document in server.requests.find()}


def in_mongodb(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {document["request_id"]: {"_id": document["request_id"], **document, "at": AT} for document in documents}


def deliver_at_last(sink: MongoSink, documents: Sequence[Mapping[str, Any]]) -> int:
    """How often the store was away."""
    for times in range(100):
        try:
            assert sink.deliver(documents) == []
        except SinkAway:
            continue
        return times
    raise AssertionError("it stays away")


def refused_with(*write_errors: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"ok": 1, "n": 1, "nModified": 0, "writeErrors": list(write_errors), **more}


def test_a_record_is_a_document_and_its_time_a_date(mongodb: MongoServer, opened: Opener) -> None:
    final = documents(3)
    assert opened(mongodb.url).deliver(final) == []
    assert stored(mongodb) == in_mongodb(final)


def test_what_is_delivered_again_is_there_once(mongodb: MongoServer, opened: Opener) -> None:
    final = documents(600)
    for sink in (opened(mongodb.url), opened(mongodb.url)):
        for _ in range(2):
            assert sink.deliver(final) == []
    assert stored(mongodb) == in_mongodb(final)


def test_the_final_record_replaces_the_intent(mongodb: MongoServer, opened: Opener) -> None:
    sink = opened(mongodb.url)
    sink.deliver(documents(2, "unknown"))
    assert {document["duration_ms"] for document in stored(mongodb).values()} == {None}
    sink.deliver(documents(2))
    assert stored(mongodb) == in_mongodb(documents(2))


def test_of_several_versions_the_last_one_counts(mongodb: MongoServer, opened: Opener) -> None:
    opened(mongodb.url).deliver([*documents(2, "unknown"), *documents(2)])
    assert stored(mongodb) == in_mongodb(documents(2))


def test_of_several_versions_one_is_sent_as_writes_have_no_order(opened: Opener) -> None:
    with ScriptedMongo() as server:
        opened(f"mongodb://{server.host}/").deliver([*documents(2, "unknown"), *documents(2)])
        (update,) = server.script.commands("update")
    assert [(one["u"]["_id"], one["u"]["outcome"]) for one in update["updates"]] == [
        ("request-00000", "ok"),
        ("request-00001", "ok"),
    ]


def test_nothing_to_deliver_is_no_error(mongodb: MongoServer, opened: Opener) -> None:
    assert opened(mongodb.url).deliver([]) == []
    assert stored(mongodb) == {}


def test_a_server_killed_amid_a_delivery_has_everything_once_at_last(
    doomed_mongodb: MongoServer, opened: Opener
) -> None:
    final = documents(1_500)
    sink, away = opened(doomed_mongodb.url), list[int]()
    delivery = threading.Thread(target=lambda: away.append(deliver_at_last(sink, final)))
    delivery.start()
    while delivery.is_alive() and doomed_mongodb.requests.estimated_document_count() == 0:
        pass
    doomed_mongodb.kill()
    doomed_mongodb.start()
    delivery.join()
    assert away[0] >= 1
    assert stored(doomed_mongodb) == in_mongodb(final)


def test_a_frozen_server_is_away(doomed_mongodb: MongoServer, opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongo, "_WRITE_MS", 200)
    monkeypatch.setattr(mongo, "_CONNECT_MS", 200)
    sink = opened(doomed_mongodb.url)
    deliver_at_last(sink, documents(1))
    doomed_mongodb.freeze()
    with pytest.raises(SinkAway, match="timed out"):
        sink.deliver(documents(2))
    doomed_mongodb.thaw()
    deliver_at_last(sink, documents(2))
    assert stored(doomed_mongodb) == in_mongodb(documents(2))


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("user", "x" * (16 * 1024 * 1024), "bytes, more than MongoDB takes"),
        ("prompt_tokens", 2**63, "it cannot be BSON: OverflowError"),
        ("user", "\ud800", "it cannot be BSON: UnicodeEncodeError"),
        ("labels", {"a\0b": "c"}, "it cannot be BSON: InvalidDocument"),
        ("at", "yesterday", "it cannot be BSON: ValueError"),
    ],
)
def test_what_cannot_be_a_document_is_rejected_alone(
    mongodb: MongoServer, opened: Opener, field: str, value: object, reason: str
) -> None:
    bad, good = one("bad") | {field: value}, documents(2)
    (rejected,) = opened(mongodb.url).deliver([good[0], bad, good[1]])
    assert rejected.document is bad
    assert reason in rejected.reason
    assert stored(mongodb) == in_mongodb(good)


def test_the_largest_document_is_taken(mongodb: MongoServer, opened: Opener) -> None:
    large = one("large") | {"user": "x" * (16 * 1024 * 1024 - 2_000)}
    assert opened(mongodb.url).deliver([large, *documents(1)]) == []
    assert stored(mongodb) == in_mongodb([large, *documents(1)])


def test_old_records_expire_after_the_retention(mongodb: MongoServer, opened: Opener) -> None:
    for days, seconds in ((30, 2_592_000), (7, 604_800), (1_000_000, 2_147_483_647)):
        opened(mongodb.url, days).deliver(documents(1))
        (expiring,) = [index for index in mongodb.requests.list_indexes() if "expireAfterSeconds" in index]
        assert (dict(expiring["key"]), expiring["expireAfterSeconds"]) == ({"at": 1}, seconds)


def test_there_are_indexes_for_what_is_asked(mongodb: MongoServer, opened: Opener) -> None:
    opened(mongodb.url).deliver(documents(1))
    assert [list(index["key"]) for index in mongodb.requests.list_indexes()] == [
        ["_id"],
        ["at"],
        ["key", "at"],
        ["model", "at"],
        ["provider", "at"],
        ["route", "at"],
        ["client_request_id"],
    ]


def test_what_goes_over_the_wire_is_durable_and_in_batches(opened: Opener) -> None:
    with ScriptedMongo() as server:
        opened(f"mongodb://{server.host}/?w=1&journal=false").deliver(documents(1_200))
        updates = server.script.commands("update")
    assert [len(update["updates"]) for update in updates] == [500, 500, 200]
    assert all(update["writeConcern"] == {"w": "majority", "j": True, "wtimeout": 10_000} for update in updates)
    assert not any(update["ordered"] for update in updates)
    assert updates[2]["updates"][199]["q"] == {"_id": "request-01199"}
    assert updates[2]["updates"][199]["upsert"] is True


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        ({"index": 1, "code": 121, "errmsg": "Document failed validation"}, "Document failed validation"),
        ({"index": 1, "code": 10334, "errmsg": "BSONObj size: 16777300 is invalid"}, "BSONObj size"),
        (
            {"index": 1, "code": 11000, "keyPattern": {"user": 1}, "errmsg": "E11000 duplicate key: {user: 'ann'}"},
            "E11000 duplicate key",
        ),
    ],
)
def test_what_the_server_refuses_is_rejected_alone(opened: Opener, refusal: dict[str, Any], reason: str) -> None:
    final = documents(3)
    with ScriptedMongo(update=[refused_with(refusal)]) as server:
        assert opened(f"mongodb://{server.host}/").deliver(final) == [
            Rejected(final[1], f"MongoDB refuses it: {reason} ({refusal['code']})")
        ]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            refused_with(
                {"index": 0, "code": 121, "errmsg": "Document failed validation"},
                {"index": 1, "code": 11000, "keyPattern": {"_id": 1}, "errmsg": "E11000 duplicate key"},
            ),
            "error (121)",
        ),
        (refused_with({"index": 2, "code": 14031, "errmsg": "no space"}), "error (14031)"),
        (refused_with({"index": 0, "code": 11601, "errmsg": "operation was interrupted"}), "error (11601)"),
        (refused_with({"index": 0, "code": 202, "errmsg": "a shard is late"}), "error (202)"),
        (
            {
                "ok": 1,
                "n": 3,
                "nModified": 0,
                "writeConcernError": {"code": 64, "codeName": "WriteConcernFailed", "errmsg": "late"},
            },
            "WriteConcernFailed (64)",
        ),
        ({"ok": 0, "code": 13, "codeName": "Unauthorized", "errmsg": "not allowed"}, "Unauthorized (13)"),
        ({"ok": 0, "code": 10107, "codeName": "NotWritablePrimary", "errmsg": "not primary"}, "not primary"),
    ],
)
def test_what_passes_is_tried_again(opened: Opener, answer: dict[str, Any], reason: str) -> None:
    with ScriptedMongo(update=[answer]) as server:
        sink = opened(f"mongodb://{server.host}/")
        with pytest.raises(SinkAway) as away:
            sink.deliver(documents(3))
        assert away.value.reason.startswith(reason)
        assert sink.deliver(documents(3)) == []


def test_only_one_loop_tries_again(opened: Opener) -> None:
    assert opened("mongodb://db.example/?retryWrites=true")._client.options.retry_writes is False


def test_an_index_with_another_retention_is_changed(opened: Opener) -> None:
    conflict = {"ok": 0, "code": 85, "codeName": "IndexOptionsConflict", "errmsg": "different options"}
    with ScriptedMongo(createIndexes=[conflict]) as server:
        opened(f"mongodb://{server.host}/", 7).deliver(documents(1))
        (change,) = server.script.commands("collMod")
    assert change["collMod"] == "requests"
    assert change["index"] == {"keyPattern": {"at": 1}, "expireAfterSeconds": 604_800}


def test_who_may_write_but_make_no_index_is_told_once(opened: Opener, caplog: pytest.LogCaptureFixture) -> None:
    unauthorized = {"ok": 0, "code": 13, "codeName": "Unauthorized", "errmsg": "not allowed"}
    with caplog.at_level(logging.WARNING), ScriptedMongo(createIndexes=[unauthorized, unauthorized]) as server:
        sink = opened(f"mongodb://{server.host}/")
        for _ in range(2):
            assert sink.deliver(documents(1)) == []
        assert len(server.script.commands("createIndexes")) == 2
    assert caplog.messages == ["log: MongoDB refuses an index: Unauthorized (13)"] * 2


@pytest.mark.parametrize(
    "url",
    [
        "http://alice:s3cret@db.example",
        "mongodb://alice:s3c/ret@db.example",
        "mongodb://alice:s3cr@et@db.example",
        "mongodb://alice:s3cret",
        "mongodb://db.example/?fooTimeout=s3cret",
        "mongodb://db.example/?connectTimeoutMS=s3cret",
        "mongodb://",
        "s3cret",
    ],
)
def test_what_is_no_url_is_said_without_it(opened: Opener, url: str) -> None:
    with pytest.raises(ConfigError, match=r"^log.mongo.url: must be a URL of a MongoDB") as caught:
        opened(url)
    assert "s3c" not in str(caught.value)


def test_no_reason_holds_a_password(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = {"ok": 0, "code": 18, "codeName": "AuthenticationFailed", "errmsg": "alice, not s3cret"}
    with ScriptedMongo(saslStart=[refused] * 9) as server:
        with pytest.raises(SinkAway) as away:
            opened(f"mongodb://alice:s3cret@{server.host}/").deliver(documents(1))
        assert away.value.reason == "AuthenticationFailed (18)"
    monkeypatch.setattr(mongo, "_CONNECT_MS", 100)
    with pytest.raises(SinkAway) as away:
        opened(f"mongodb://alice:s3cret@{server.host}/").deliver(documents(1))
    assert away.value.reason == f"{server.host}: [Errno 111] Connection refused"
