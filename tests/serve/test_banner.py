from collections.abc import Sequence

import attrs

from clawgw import __version__
from clawgw.config.addresses import Bind
from clawgw.config.callers import Callers
from clawgw.config.settings import Settings
from clawgw.config.snapshot import ReadyKafka, ReadyMongo, ReadyProvider, ReadyRoute, Secret
from clawgw.config.tables.callers import Key
from clawgw.config.tables.limits import Limits
from clawgw.config.tables.server import Server
from clawgw.policy import Target
from clawgw.serve.banner import start_up_lines
from tests.web.serving import VERSION, provider, snapshot

HERE = Bind("127.0.0.1", 8080)


def lines(*providers: ReadyProvider, server: Server | None = None, binds: Sequence[Bind] = (HERE,)) -> list[str]:
    routes = [ReadyRoute("fast", [Target("groq", "a/b"), Target("openai", "c")])]
    chosen = attrs.evolve(snapshot(server or Server(), providers, routes), warnings=["log.path: not in this version"])
    return list(start_up_lines(chosen, binds))


def test_all_that_is_served() -> None:
    pool = attrs.evolve(provider("groq", "groq"), keys=(Secret("a"), Secret("b")))
    assert lines(provider("openai"), pool, provider("mistral", "mistral", "no key: set MISTRAL_API_KEY")) == [
        f"clawgw {__version__}, configuration {VERSION}",
        "listening on http://127.0.0.1:8080 (1 worker)",
        "provider openai (openai): ready, 1 key",
        "provider groq (groq): ready, 2 keys",
        "provider mistral (mistral): no key: set MISTRAL_API_KEY",
        "route fast: groq/a/b, openai/c",
        "stores: limits memory, cache off, log clawgw.db",
        "warning: log.path: not in this version",
    ]


def test_all_stores_of_the_log_without_their_addresses() -> None:
    chosen = attrs.evolve(
        snapshot(),
        mongo=ReadyMongo(Secret("mongodb://alice:s3cret@db.example"), "logs", "requests"),
        kafka=ReadyKafka(Secret("broker.example:9092"), "clawgw.requests"),
    )
    said = list(start_up_lines(chosen, [HERE]))
    assert "stores: limits memory, cache off, log clawgw.db, MongoDB logs.requests, Kafka clawgw.requests" in said
    assert "example" not in "".join(said)


def test_every_bind_with_its_scheme() -> None:
    server = Server(workers=3, tls_cert="cert.pem", tls_key="key.pem")
    said = lines(provider("openai"), server=server, binds=[HERE, Bind("::1", 8443)])
    assert said[1:3] == [
        "listening on https://127.0.0.1:8080 (3 workers)",
        "listening on https://[::1]:8443 (3 workers)",
    ]


def test_the_listener_for_metrics() -> None:
    said = list(start_up_lines(snapshot(providers=[provider("openai")]), [HERE], [Bind("::1", 9090)]))
    assert said[1:3] == ["listening on http://127.0.0.1:8080 (1 worker)", "metrics on http://[::1]:9090/metrics"]


def test_a_provider_that_wants_no_key_answers_itself() -> None:
    own = attrs.evolve(provider("local"), keys=())
    assert not any("echo" in line for line in lines(own))


def test_without_any_key_there_is_a_line_to_paste() -> None:
    echo = attrs.evolve(provider("echo", "echo"), keys=())
    said = lines(echo, binds=[Bind("0.0.0.0", 8080)])
    assert "provider echo (echo): ready" in said
    assert "no provider key is set: the built-in echo answers. Try it:" in said
    assert any(line.startswith("  curl http://127.0.0.1:8080/v1/chat/completions ") for line in said)


def test_where_clients_need_a_key_the_line_has_a_place_for_it_and_they_are_named() -> None:
    settings = Settings(keys=(Key("alice", "0" * 64), Key("bob", "1" * 64)), limits=Limits("redis", when_down="open"))
    plain = snapshot(providers=[attrs.evolve(provider("echo", "echo"), keys=())])
    said = list(start_up_lines(attrs.evolve(plain, settings=settings, callers=Callers.of(settings)), [HERE]))
    assert "keys for clients: alice, bob" in said
    assert "stores: limits redis (when down: open), cache off, log clawgw.db" in said
    assert any(line.endswith("-H 'content-type: application/json' -H 'authorization: Bearer KEY' \\") for line in said)
