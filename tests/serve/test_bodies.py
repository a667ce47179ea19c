"""What requests and answers say, as a running gateway keeps it: nothing secret is on the disk."""

import json
from pathlib import Path
from typing import Any

import trio

from clawgw.ledger.journal.spool import Spool
from tests.ledger.records import rows
from tests.serve.gateway import Process, Starter
from tests.web.serving import Client

KEY = "echo-key-Zx81_qP"
CONFIG = """
[providers.echo]
api_keys = ["file:key"]
[log]
bodies = true
max_body_bytes = 4096
redact = ['\\d{3}-\\d{2}-\\d{4}']
"""
SECRETS = (KEY, "sk-ant-0123456789", "078-05-1120", "dXNlcjpwYXNz")
TEXT = f"{KEY}, my number: 078-05-1120, not sk-ant-0123456789 but Bearer dXNlcjpwYXNz!"
KEPT = "[redacted], my number: [redacted], not [redacted] but Bearer [redacted]!"


def chat(text: str = TEXT, **more: Any) -> bytes:
    return json.dumps({"model": "echo/echo", "messages": [{"role": "user", "content": text}], **more}).encode()


async def started(start: Starter) -> Process:
    (start.folder / "key").write_text(KEY)
    gateway = await start(config=CONFIG)
    await gateway.version()
    (start.folder / "key").unlink()
    return gateway


async def stream(gateway: Process, body: bytes) -> None:
    client = await gateway.connect()
    async with client.stream:
        await client.send_post(body)
        await client.read_head()
        async for _ in client.chunks():
            pass


async def record(client: Client, request_id: str) -> dict[str, Any]:
    while (answer := await client.get(f"/v1/requests/{request_id}")).status == 404:
        pass  # it is waited for there, for a while
    return dict(answer.json)


def on_the_disk(folder: Path) -> bytes:
    """Everything that the gateway has written."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_no_secret_is_written_anywhere_and_the_rest_is_shown(start: Starter) -> None:
    gateway = await started(start)
    client = await gateway.connect()
    async with client.stream:
        plain = await client.post(chat())
        assert KEY in plain.json["choices"][0]["message"]["content"]
        await stream(gateway, chat(stream=True))
        nested = json.dumps({"arguments": json.dumps({"text": TEXT})})
        call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": nested}}
        tool = {"role": "tool", "tool_call_id": "c", "content": "done"}
        await client.post(
            json.dumps({"model": "echo/echo", "messages": [{"role": "assistant", "tool_calls": [call]}, tool]}).encode()
        )
        shown = await record(client, plain.headers["x-request-id"])
    assert shown["bodies"] == "kept"
    assert json.loads(shown["request_body"])["messages"] == [{"role": "user", "content": KEPT}]
    assert KEPT in json.loads(shown["response_body"])["choices"][0]["message"]["content"]
    gateway.process.terminate()
    assert await gateway.wait() == 0
    kept = rows(gateway.folder / "clawgw.db", "SELECT bodies, response_body FROM requests ORDER BY at_ms")
    assert [bodies for bodies, _ in kept] == ["kept"] * 3
    assert KEPT in kept[1][1]
    written = on_the_disk(gateway.folder)
    assert b"[redacted]" in written
    assert [secret for secret in SECRETS if secret.encode() in written] == []


async def test_nor_in_the_spool_of_a_gateway_that_was_killed(start: Starter) -> None:
    gateway = await started(start)
    client = await gateway.connect()
    async with client.stream:
        await client.post(chat())
    await stream(gateway, chat(stream=True))
    gateway.process.kill()
    await gateway.wait()
    written = on_the_disk(gateway.folder)
    assert b"[redacted]" in written
    assert [secret for secret in SECRETS if secret.encode() in written] == []


async def test_long_ones_are_cut(start: Starter) -> None:
    gateway = await started(start)
    client = await gateway.connect()
    async with client.stream:
        answer = await client.post(chat("word " * 100_000))
        shown = await record(client, answer.headers["x-request-id"])
    for name in ("request_body", "response_body"):
        assert len(shown[name]) == 4096 + len("[truncated]")
        assert shown[name].endswith("[truncated]")
    assert len([*Spool(gateway.folder / "clawgw.spool").writers()]) == 1
    gateway.process.terminate()
    with trio.fail_after(20):
        assert await gateway.wait() == 0
