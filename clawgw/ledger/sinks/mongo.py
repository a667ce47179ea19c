"""Records in MongoDB: a document for each, `_id` the request's id, `at` a date.

Whatever is reported as delivered has been journaled by a majority. A document may be written any number of times: it is
replaced as a whole.
"""

import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import bson
from attrs import frozen
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING, DESCENDING, IndexModel, MongoClient, ReplaceOne, WriteConcern
from pymongo.errors import BulkWriteError, InvalidURI, OperationFailure, PyMongoError

from clawgw.config.mistakes import ConfigError, Mistake
from clawgw.config.snapshot import ReadyMongo
from clawgw.ledger.document import Document
from clawgw.ledger.sinks.batches import batches
from clawgw.ledger.sinks.sink import Rejected, SinkAway

log = logging.getLogger("clawgw")

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
"""mongodb.com/docs/manual/reference/limits: BSON documents."""
_CONNECT_MS = 3_000
_WRITE_MS = 10_000
_DURABLE = WriteConcern("majority", wtimeout=_WRITE_MS, j=True)
_MAX_TTL_S = 2**31 - 1
"""mongodb.com/docs/manual/core/index-ttl: expireAfterSeconds."""
_DAY_S = 86_400
_REASON_LENGTH = 200
_SCHEMES = ("mongodb://", "mongodb+srv://")

_INDEXES = [
    IndexModel([("key", ASCENDING), ("at", DESCENDING)], name="key"),
    IndexModel([("model", ASCENDING), ("at", DESCENDING)], name="model"),
    IndexModel([("provider", ASCENDING), ("at", DESCENDING)], name="provider"),
    IndexModel([("route", ASCENDING), ("at", DESCENDING)], name="route"),
    IndexModel(
        [("client_request_id", ASCENDING)],
        name="client_request_id",
        partialFilterExpression={"client_request_id": {"$type": "string"}},
    ),
]
_OTHER_OPTIONS = frozenset({85, 86})
"""IndexOptionsConflict, IndexKeySpecsConflict."""
_DUPLICATE_KEY = 11000
_PASSING = frozenset(
    {
        *(6, 7, 89, 9001),  # HostUnreachable, HostNotFound, NetworkTimeout, SocketException
        *(91, 189, 10107, 11600, 11602, 13435, 13436),  # the primary is going, or is another one by now
        *(24, 46, 50, 112, 202, 262),  # LockTimeout, LockBusy, WriteConflict, and whatever took too long
        11601,  # Interrupted: somebody has ended the operation
        *(13, 18, 13388, 14031, 16500),  # Unauthorized, AuthenticationFailed, StaleConfig, OutOfDiskSpace, throttled
    }
)
"""What a server says of a document with which nothing is wrong (mongodb.com/docs/manual/reference/error-codes)."""


@frozen
class _Encoded:
    document: Document
    bson: RawBSONDocument

    @property
    def size(self) -> int:
        return len(self.bson.raw)

    def upsert(self) -> ReplaceOne[Mapping[str, Any]]:
        return ReplaceOne({"_id": self.document["request_id"]}, self.bson, upsert=True)


class MongoSink:
    """Connects when it delivers for the first time, so that it may be made in one process and used in another."""

    name = "mongo"

    def __init__(self, target: ReadyMongo, retention_days: int) -> None:
        """Raises ConfigError, which says nothing of what the URL is."""
        self._client = _client(target.url.reveal())
        self._collection = self._client[target.database].get_collection(target.collection, write_concern=_DURABLE)
        self._ttl_s = min(retention_days * _DAY_S, _MAX_TTL_S)
        self._has_indexes = False

    def deliver(self, documents: Sequence[Document]) -> Sequence[Rejected]:
        """As `Sink` says."""
        latest = {document["request_id"]: document for document in documents}
        encoded = [_encode(document) for document in latest.values()]
        rejected = [one for one in encoded if isinstance(one, Rejected)]
        try:
            for batch in batches(one for one in encoded if not isinstance(one, Rejected)):
                rejected.extend(self._write(batch))
            self._ensure_indexes()
        except PyMongoError as error:
            raise SinkAway(_reason(error)) from None
        return rejected

    def close(self) -> None:
        """Disconnect."""
        self._client.close()

    def _write(self, batch: Sequence[_Encoded]) -> Iterator[Rejected]:
        try:
            self._collection.bulk_write([one.upsert() for one in batch], ordered=False)
        except BulkWriteError as error:
            refusals = error.details["writeErrors"]
            if error.details["writeConcernErrors"] or any(map(_passes, refusals)):
                raise
            for refusal in refusals:
                yield Rejected(batch[refusal["index"]].document, _refusal(refusal))

    def _ensure_indexes(self) -> None:
        """Once, after something was written: whoever may write but not make indexes still gets the records."""
        if self._has_indexes:
            return
        for ensure in (self._ensure_ttl, self._ensure_query_indexes):
            try:
                ensure()
            except OperationFailure as error:
                log.warning("log: MongoDB refuses an index: %s", _reason(error))
        self._has_indexes = True

    def _ensure_ttl(self) -> None:
        try:
            self._collection.create_index("at", name="at", expireAfterSeconds=self._ttl_s)
        except OperationFailure as error:
            if error.code not in _OTHER_OPTIONS:
                raise
            change = {"keyPattern": {"at": 1}, "expireAfterSeconds": self._ttl_s}
            self._collection.database.command("collMod", self._collection.name, index=change)

    def _ensure_query_indexes(self) -> None:
        self._collection.create_indexes(_INDEXES)


def _client(url: str) -> MongoClient[Mapping[str, Any]]:
    """Its own retries are off: who delivers tries again anyway, and knows when. An option it does not know warns."""
    try:
        if not url.startswith(_SCHEMES):
            raise InvalidURI
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            return MongoClient(
                url,
                appname="clawgw",
                connect=False,
                connectTimeoutMS=_CONNECT_MS,
                retryWrites=False,
                serverSelectionTimeoutMS=_CONNECT_MS,
                socketTimeoutMS=_WRITE_MS + _CONNECT_MS,
            )
    except (PyMongoError, ValueError, TypeError, UserWarning):
        message = "must be a URL of a MongoDB (mongodb://, mongodb+srv://), user and password percent-encoded"
        raise ConfigError([Mistake("log.mongo.url", message)]) from None


def _encode(document: Document) -> _Encoded | Rejected:
    try:
        at = datetime.fromisoformat(document["at"])
        data = bson.encode({"_id": document["request_id"], **document, "at": at})
    except (BSONError, OverflowError, ValueError) as error:
        return Rejected(document, f"it cannot be BSON: {type(error).__name__}")
    if len(data) > MAX_DOCUMENT_BYTES:
        return Rejected(document, f"it has {len(data)} bytes, more than MongoDB takes ({MAX_DOCUMENT_BYTES})")
    return _Encoded(document, RawBSONDocument(data))


def _passes(refusal: Mapping[str, Any]) -> bool:
    """Whether the same document may be taken later. Two upserts of one `_id` at a time can make a duplicate key."""
    code = refusal["code"]
    return code in _PASSING or (code == _DUPLICATE_KEY and "_id" in refusal.get("keyPattern", {}))


def _refusal(refusal: Mapping[str, Any]) -> str:
    """What kind of error it is: after the first colon its message quotes the document."""
    kind, _, _ = refusal["errmsg"].partition(":")
    return f"MongoDB refuses it: {kind[:_REASON_LENGTH]} ({refusal['code']})"


def _reason(error: PyMongoError) -> str:
    """What went wrong; neither what the URL holds beside the host nor what a record holds."""
    if isinstance(error, BulkWriteError):
        first = [*error.details["writeConcernErrors"], *error.details["writeErrors"]][0]
        return f"{first.get('codeName', 'error')} ({first['code']})"
    if isinstance(error, OperationFailure):
        return f"{(error.details or {}).get('codeName', 'error')} ({error.code})"
    return re.split(r" \(configured |, Timeout: ", str(error))[0][:_REASON_LENGTH] or type(error).__name__
