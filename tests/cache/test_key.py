from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from clawgw.cache.key import IGNORED, key_of, may_be_cached, mode_of
from clawgw.config.callers import NOBODY, Caller
from clawgw.config.load import load
from clawgw.config.snapshot import Snapshot
from clawgw.gateway import ENDPOINTS
from clawgw.routing.catalogue import bundled
from clawgw.routing.resolve import resolve
from clawgw.wire.checks.parse import parse_chat_request, parse_embeddings_request, parse_text_request

CONFIG = """
[providers.one]
wire = "openai"
base_url = "https://one.example/v1"
[providers.two]
wire = "openai"
base_url = "https://two.example/v1"
[routes.r]
targets = ["one/m1"]
[routes.shared]
targets = ["one/m1"]
cache = "shared"
[routes.uncached]
targets = ["one/m1"]
cache = "off"
[routes.by-policy]
targets = ["one/m1", "two/m2"]
policy = "p:route"
options = { since = 2026-01-01, most = 99999999999999999999 }
"""
ALICE, BOB = Caller("alice", labels={"team": "a"}), Caller("bob")


def snapshot(text: str = CONFIG, environ: Mapping[str, str] | None = None) -> Snapshot:
    def read(path: object) -> bytes:
        return b"def route(request, targets, options): ..."

    return load(text, environ or {}, read_file=read)


def key(
    body: dict[str, Any],
    caller: Caller = NOBODY,
    config: Snapshot | None = None,
    headers: Mapping[bytes, bytes] | None = None,
) -> bytes:
    loaded = config or snapshot()
    asked = {"model": "r", "messages": [{"role": "user", "content": "hi"}], **body}
    request = parse_chat_request(orjson.dumps({name: value for name, value in asked.items() if value != ()}))
    resolved = resolve(request.model, "chat.completions", loaded, bundled())
    return key_of(request, "chat.completions", resolved, loaded, caller, list((headers or {}).items()))


def test_a_key_is_32_bytes_and_always_the_same() -> None:
    assert len(key({})) == 32
    assert key({}) == key({})


@pytest.mark.parametrize(
    "more",
    [
        {"stream": True},
        {"stream": True, "stream_options": {"include_usage": True}},
        {"user": "u"},
        {"metadata": {"a": "b"}},
        {"safety_identifier": "s"},
        {"prompt_cache_key": "k"},
        {"store": False},
        {"temperature": None},
    ],
)
def test_what_does_not_change_the_answer(more: dict[str, Any]) -> None:
    assert key(more) == key({})


@pytest.mark.parametrize(
    "more",
    [
        {"temperature": 0},
        {"temperature": 0.5},
        {"max_tokens": 5},
        {"seed": 1},
        {"n": 2},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"messages": [{"role": "user", "content": "hi "}]},
        {"messages": [{"role": "user", "content": "hi", "name": "n"}]},
        {"model": "shared"},
        {"model": "one/m1"},
        {"field_of_tomorrow": 1},
    ],
)
def test_what_does(more: dict[str, Any]) -> None:
    assert key(more) != key({})


def test_the_order_of_keys_does_not_count_but_that_of_lists_does() -> None:
    one = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
    assert key({"messages": one}) == key({"messages": [dict(reversed(message.items())) for message in one]})
    assert key({"messages": one}) != key({"messages": one[::-1]})


def test_numbers_are_as_they_are_written() -> None:
    assert key({"temperature": 1}) != key({"temperature": 1.0})


def test_every_key_has_a_namespace_of_its_own_unless_the_route_is_shared() -> None:
    assert len({key({}, NOBODY), key({}, ALICE), key({}, BOB)}) == 3
    assert len({key({"model": "shared"}, caller) for caller in (NOBODY, ALICE, BOB)}) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('[routes.r]\ntargets = ["one/m1"]', '[routes.r]\ntargets = ["two/m2"]'),
        ('[routes.r]\ntargets = ["one/m1"]', '[routes.r]\ntargets = ["one/m1", "two/m2"]'),
        ("https://one.example/v1", "https://another.example/v1"),
        ("[routes.r]", '[routes.r]\nstrategy = "race"'),
        ("[providers.one]", '[providers.one]\nheaders = { x-beta = "1" }'),
        ("[providers.one]", "[defaults]\ntemperature = 0.1\n[providers.one]"),
        ("[providers.one]", "[defaults]\nmax_tokens = 10\n[providers.one]"),
    ],
)
def test_a_configuration_that_answers_otherwise_is_asked_anew(old: str, new: str) -> None:
    assert CONFIG.count(old) == 1
    assert key({}, config=snapshot(CONFIG.replace(old, new))) != key({})


def test_one_that_does_not_is_not() -> None:
    assert key({}, config=snapshot(CONFIG + '[[keys]]\nname = "new"\nsha256 = "' + "0" * 64 + '"\n')) == key({})


def test_what_a_policy_may_decide_by_counts_where_one_decides() -> None:
    asked = {"model": "by-policy"}
    keys = [
        key(asked),
        key({**asked, "user": "u"}),
        key({**asked, "metadata": {"tier": "gold"}}),
        key(asked, headers={b"x-tier": b"gold"}),
        key(asked, Caller(labels={"team": "a"})),
    ]
    assert len(set(keys)) == 5
    assert key(asked, headers={b"accept": b"*/*", b"x-api-key": b"secret"}) == key(asked)
    assert key({}, headers={b"x-tier": b"gold"}) == key({})


def test_endpoints_do_not_mix() -> None:
    loaded = snapshot()
    text = parse_text_request(b'{"model": "r", "prompt": "hi"}')
    embeddings = parse_embeddings_request(b'{"model": "r", "input": "hi"}')
    resolved = resolve("r", "completions", loaded, bundled())
    keys = {
        key_of(request, ENDPOINTS[type(request)], resolved, loaded, NOBODY, ())
        for request in (text, embeddings, parse_text_request(b'{"model": "r", "prompt": "ho"}'))
    }
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("model", "mode"), [("r", "key"), ("shared", "shared"), ("uncached", "off"), ("one/m1", "key")]
)
def test_a_route_says_who_shares_its_answers(model: str, mode: str) -> None:
    loaded = snapshot()
    assert mode_of(resolve(model, "chat.completions", loaded, bundled()), loaded) == mode


def test_what_is_to_be_stored_upstream_is_sent_each_time() -> None:
    def asked(**more: Any) -> bool:
        body = {"model": "r", "messages": [{"role": "user", "content": "hi"}], **more}
        return may_be_cached(parse_chat_request(orjson.dumps(body)))

    assert (asked(), asked(store=False), asked(store=True)) == (True, True, False)


def test_every_ignored_field_says_why() -> None:
    assert all(IGNORED.values())
