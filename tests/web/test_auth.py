from hashlib import sha256

import attrs
import pytest
import trio

from clawgw.config.callers import Caller, Callers, key_digest
from clawgw.config.settings import Settings
from clawgw.config.tables.callers import Auth, Key
from clawgw.errors import AdminKeyRequired, InvalidApiKey
from clawgw.routing.facts import RawHeaders
from clawgw.web.auth import authenticate, check_admin
from clawgw.web.head import Headers
from tests.web import serving

KEY, ADMIN_KEY = "clawgw-alice", "clawgw-root"
ALICE = Key("alice", key_digest(KEY).hex(), models=("openai/*",), labels={"team": "search"})
ROOT = Key("root", key_digest(ADMIN_KEY).hex(), admin=True)
CALLERS = Callers.of(Settings(keys=(ALICE, ROOT)))
BEARER = f"authorization: Bearer {KEY}\r\n".encode()
ROOT_BEARER = f"authorization: Bearer {ADMIN_KEY}\r\n".encode()


@pytest.mark.parametrize(
    "headers",
    [
        [(b"authorization", b"Bearer clawgw-alice")],
        [(b"authorization", b"bearer  clawgw-alice ")],
        [(b"x-api-key", b"clawgw-alice")],
        [(b"authorization", b"Basic YTpi"), (b"x-api-key", b"clawgw-alice")],
        [(b"authorization", b"Bearer "), (b"x-api-key", b"clawgw-alice")],
        [(b"authorization", b"Bearer clawgw-alice"), (b"x-api-key", b"other")],
    ],
)
def test_a_key_comes_in_either_header(headers: RawHeaders) -> None:
    assert authenticate(Headers(headers), CALLERS) == Caller.of(ALICE)


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ([], "no key: send it as"),
        ([(b"authorization", b"clawgw-alice")], "no key: send it as"),
        ([(b"authorization", b"Basic Y2xhd2d3")], "no key: send it as"),
        ([(b"authorization", b"Bearer clawgw-alic")], "not known here"),
        ([(b"authorization", b'Bearer {"$gt":""}')], "not known here"),
        ([(b"x-api-key", b"\xff\x00")], "not known here"),
    ],
)
def test_who_has_none_is_told_how_and_nothing_is_quoted(headers: RawHeaders, says: str) -> None:
    with pytest.raises(InvalidApiKey, match=says) as caught:
        authenticate(Headers(headers), CALLERS)
    assert "alic" not in caught.value.message


def test_a_key_may_have_any_letters() -> None:
    secret = "schlüssel".encode()
    holder = Key("holder", sha256(secret).hexdigest())
    callers = Callers.of(Settings(keys=(holder,)))
    assert authenticate(Headers([(b"authorization", b"Bearer " + secret)]), callers) == Caller.of(holder)


def test_without_keys_whatever_is_sent_is_nobody_in_particular() -> None:
    assert authenticate(Headers([(b"authorization", b"Bearer none")]), Callers()).name is None


def test_an_admin_is_needed_only_where_keys_are() -> None:
    check_admin(Caller.of(ROOT), CALLERS)
    with pytest.raises(AdminKeyRequired):
        check_admin(Caller.of(ALICE), CALLERS)
    open_door = Callers.of(Settings(auth=Auth(required=False), keys=(ALICE,)))
    check_admin(authenticate(Headers([]), open_door), open_door)


async def guarded_server(nursery: trio.Nursery) -> serving.Serving:
    plain = serving.snapshot(providers=[serving.provider("openai"), serving.provider("own")])
    snapshot = attrs.evolve(plain, callers=CALLERS)
    return await serving.serve(nursery, serving.service(serving.hello, snapshot))


async def guarded_client(nursery: trio.Nursery) -> serving.Client:
    return await (await guarded_server(nursery)).connect()


async def test_a_request_without_a_key_is_refused_before_its_body_is_read(nursery: trio.Nursery) -> None:
    client = await guarded_client(nursery)
    await client.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: test\r\ncontent-length: 1000000\r\n\r\n")
    answer = await client.read_answer()
    assert (answer.status, answer.error["code"], answer.headers["x-should-retry"]) == (401, "invalid_api_key", "false")
    assert answer.error["request_id"] == answer.headers["x-request-id"]


async def test_the_gateway_is_told_who_asks(nursery: trio.Nursery) -> None:
    server = await guarded_server(nursery)
    assert (await (await server.connect()).post(serving.CHAT, head=BEARER)).status == 200
    (arrival,) = server.gateway.arrivals
    assert arrival.caller == Caller.of(ALICE)


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/openai/known", "/v1/providers", "/metrics", "/nowhere"])
async def test_every_other_page_wants_a_key(nursery: trio.Nursery, path: str) -> None:
    client = await guarded_client(nursery)
    assert (await client.get(path)).error["code"] == "invalid_api_key"


@pytest.mark.parametrize("path", ["/health", "/ready"])
async def test_whoever_looks_after_the_machine_needs_none(nursery: trio.Nursery, path: str) -> None:
    client = await guarded_client(nursery)
    assert (await client.get(path)).status == 200


async def test_metrics_are_for_admins(nursery: trio.Nursery) -> None:
    client = await guarded_client(nursery)
    refused = await client.get("/metrics", head=BEARER)
    assert (refused.status, refused.error["code"]) == (403, "admin_key_required")
    assert (await client.get("/metrics", head=ROOT_BEARER)).status == 200


async def test_models_are_those_that_the_key_may_use(nursery: trio.Nursery) -> None:
    client = await guarded_client(nursery)
    listed = await client.get("/v1/models", head=BEARER)
    assert {row["id"].partition("/")[0] for row in listed.json["data"]} == {"openai"}
    first = listed.json["data"][0]
    assert (await client.get(f"/v1/models/{first['id']}", head=BEARER)).json == first
    assert (await client.get("/v1/models/own/known", head=BEARER)).error["code"] == "model_not_found"
