"""A server that speaks MongoDB's wire protocol and answers what a test tells it to.

mongodb.com/docs/manual/reference/mongodb-wire-protocol: OP_MSG, and OP_QUERY for a client's first greeting.
"""

import socketserver
import struct
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, cast

import bson
from attrs import define, field

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
HELLO = {
    "ok": 1,
    "isWritablePrimary": True,
    "maxBsonObjectSize": 16 * 1024 * 1024,
    "maxMessageSizeBytes": 48_000_000,
    "maxWriteBatchSize": 100_000,
    "minWireVersion": 0,
    "maxWireVersion": 25,
    "saslSupportedMechs": ["SCRAM-SHA-256"],
}


@define
class Script:
    """`answers`, by command, are given in turn; then, and for other commands, `ok`. `seen` is all but greetings."""

    answers: dict[str, deque[dict[str, Any]]] = field(factory=dict)
    seen: list[dict[str, Any]] = field(factory=list)

    def answer(self, command: dict[str, Any]) -> Mapping[str, Any]:
        name = next(iter(command))
        if name.lower() in ("hello", "ismaster"):
            return HELLO
        self.seen.append(command)
        answers = self.answers.get(name)
        return answers.popleft() if answers else {"ok": 1, "n": len(command.get("updates", ())), "nModified": 0}

    def commands(self, name: str) -> list[dict[str, Any]]:
        return [command for command in self.seen if name in command]


class ScriptedMongo(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, **answers: list[dict[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.script = Script({name: deque(given) for name, given in answers.items()})
        self.host = f"127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}).start()

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        script = cast("ScriptedMongo", self.server).script
        while header := self.rfile.read(16):
            length, request, _, kind = struct.unpack("<iiii", header)
            body = self.rfile.read(length - 16)
            if kind == OP_MSG:
                reply = struct.pack("<IB", 0, 0) + bson.encode(script.answer(_message(body)))
                self._send(request, OP_MSG, reply)
            else:
                reply = struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(script.answer(_query(body)))
                self._send(request, OP_REPLY, reply)

    def _send(self, request: int, kind: int, body: bytes) -> None:
        self.wfile.write(struct.pack("<iiii", 16 + len(body), 0, request, kind) + body)


def _message(body: bytes) -> dict[str, Any]:
    """Flags, then sections: one document (kind 0), and sequences of documents (kind 1), each a field of it."""
    position, command, sequences = 4, dict[str, Any](), dict[str, Any]()
    while position < len(body):
        kind, size = body[position], struct.unpack_from("<i", body, position + 1)[0]
        section = body[position + 1 : position + 1 + size]
        if kind == 0:
            command = bson.decode(section)
        else:
            name, documents = section[4:].split(b"\0", 1)
            sequences[name.decode()] = bson.decode_all(documents)
        position += 1 + size
    return command | sequences


def _query(body: bytes) -> dict[str, Any]:
    """Flags, the collection's name, two counts, the document."""
    return bson.decode(body[body.index(b"\0", 4) + 9 :])
