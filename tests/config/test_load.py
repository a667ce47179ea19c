import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.config.load import Overrides
from clawgw.config.mistakes import ConfigError
from clawgw.config.shape import shape
from clawgw.config.snapshot import Snapshot
from clawgw.policy import Target
from tests.config.loading import mistakes, snapshot

EVERY_KEY = f"""
[server]
bind = ["127.0.0.1:9000", "[::1]:9000"]
workers = 2
max_body_bytes = 1000
drain_delay_s = 1
drain_s = 2
header_hold_s = 0
tls_cert = "cert.pem"
tls_key = "/keys/key.pem"
[defaults]
provider = "anthropic"
fallback_providers = ["openai", "groq"]
temperature = 0.7
max_tokens = 4096
[auth]
required = true
[[keys]]
name = "alice"
sha256 = "{"0f" * 32}"
models = ["fast", "gpt-*"]
admin = false
labels = {{ team = "search" }}
limits = {{ requests_per_minute = 600, tokens_per_minute = 200000, concurrent = 32 }}
budget = {{ usd = 5.0, per = "day" }}
[providers.openai]
wire = "openai"
base_url = "https://api.openai.com/v1"
api_keys = ["env:OPENAI_API_KEY"]
api_version = "v1"
default_model = "gpt-6-luna"
api = "auto"
limits = {{ requests_per_minute = 5000, tokens_per_minute = 2000000, concurrent = 200 }}
key_limits = {{ requests_per_minute = 1000 }}
timeouts = {{ connect_s = 1.5, first_token_s = 60, idle_s = 30, total_s = 600 }}
headers = {{}}
allow_private_network = false
[routes.fast]
targets = ["groq/openai/gpt-oss-120b", "openai/gpt-6-luna"]
strategy = "failover"
weights = [3, 1]
hedge_after = "p95"
max_attempts = 3
failover_after_s = 4.0
deadline_s = 600
limits = {{ requests_per_minute = 100 }}
policy = "cost_aware:route"
options = {{ ceiling_usd = 0.01 }}
[policies]
path = "policies"
quota = ["team_quota:quota"]
options = {{ teams = {{ search = {{ concurrent = 8 }} }} }}
[retry]
budget_ratio = 0.2
base_s = 0.05
cap_s = 2.0
[breaker]
consecutive_failures = 5
failure_ratio = 0.5
window_s = 30
min_requests = 20
open_s = 10
[hedge]
budget_ratio = 0.05
[silence]
budget_ratio = 0.1
[limits]
store = "memory"
redis_url = "env:REDIS_URL"
when_down = "local"
[limits.labels."team:search"]
tokens_per_minute = 1000000
[cache]
store = "off"
ttl_s = 300
max_bytes = 67108864
[websocket]
ping_s = 20
pong_timeout_s = 20
max_message_bytes = 20971520
max_requests = 64
max_sockets_per_key = 100
origins = ["https://app.example.com"]
[metrics]
bind = "127.0.0.1:9090"
[log]
path = "clawgw.db"
spool = "clawgw.spool"
fsync = "interval"
bodies = false
retention_days = 30
max_spool_bytes = 1073741824
[log.mongo]
url = "env:MONGODB_URL"
database = "clawgw"
collection = "requests"
[log.kafka]
brokers = "env:KAFKA_BROKERS"
topic = "clawgw.requests"
[prices."openai/gpt-6-luna"]
input = 0.1
cached_input = 0.01
output = 0.5
"""
TLS_FILES = {"/etc/clawgw/cert.pem": b"certificate", "/keys/key.pem": b"key"}
POLICY_FILES = {f"/etc/clawgw/policies/{name}.py": b"" for name in ("cost_aware", "team_quota")}


def test_every_documented_key_is_taken() -> None:
    assert shape(tomllib.loads(EVERY_KEY)).mistakes == []


def test_every_documented_key_acts_or_is_a_warning() -> None:
    assert mistakes(EVERY_KEY, files=TLS_FILES | POLICY_FILES) == []


def test_routes_are_resolved() -> None:
    text = (
        '[routes.fast]\ntargets = ["groq/openai/gpt-oss-120b", "gemini/g"]\n'
        'max_attempts = 2\nfailover_after_s = 1\ndeadline_s = 9\n[routes."gpt-*"]\ntargets = ["echo/echo"]'
    )
    routes = snapshot(text).routes
    assert list(routes) == ["fast", "gpt-*"]
    assert routes["fast"].targets == (Target("groq", "openai/gpt-oss-120b"), Target("google", "g"))
    assert (routes["fast"].max_attempts, routes["fast"].failover_after_s, routes["fast"].deadline_s) == (2, 1.0, 9.0)
    assert (routes["gpt-*"].max_attempts, routes["gpt-*"].failover_after_s, routes["gpt-*"].deadline_s) == (
        3,
        4.0,
        600.0,
    )


def test_prices_are_those_of_a_provider_whichever_name_it_has() -> None:
    loaded = snapshot('[prices."gemini/a/b"]\ninput = 1\noutput = 2\n[prices."openai/m"]\ninput = 3\noutput = 4\n')
    assert {name: price.output for name, price in loaded.settings.prices.items()} == {"google/a/b": 2, "openai/m": 4}


def test_both_stages_are_told_at_once() -> None:
    text = (
        "[server]\nworkers = 0\n[providers.zzz]\n[routes.fast]\nhegde_after = 1\n"
        'targets = ["gorq/x"]\n[breaker]\nopen = 1\n[limits]\nstore = "redis"'
    )
    assert mistakes(text, {"LLM_TEMPERATURE": "9"}, overrides=Overrides(bind="here")) == [
        "server.workers: must be at least 1",
        "routes.fast.hegde_after: unknown key, did you mean hedge_after?",
        "breaker.open: unknown key, did you mean open_s?",
        "--bind: must be HOST:PORT or [IPv6]:PORT, such as 127.0.0.1:8080",
        "LLM_TEMPERATURE: must be at most 2",
        "providers.zzz.wire: missing: zzz is not a known one, so it needs wire and base_url",
        "routes.fast.targets[0]: no provider is named gorq, did you mean groq?",
        "providers.zzz.base_url: missing",
        "limits.redis_url: the variable REDIS_URL is not set",
    ]


def test_the_command_line_wins_over_the_file() -> None:
    text = '[server]\nbind = ["0.0.0.0:80"]\nworkers = 4\ndrain_s = 5'
    server = snapshot(text, overrides=Overrides(bind="127.0.0.1:0", workers=2)).settings.server
    assert (server.bind, server.workers, server.drain_s) == (("127.0.0.1:0",), 2, 5.0)


def test_wrong_options_are_named() -> None:
    assert mistakes(overrides=Overrides(bind="8080", workers=0)) == [
        "--bind: must be HOST:PORT or [IPv6]:PORT, such as 127.0.0.1:8080",
        "--workers: must be at least 1",
    ]


def test_the_log_lies_where_the_file_does() -> None:
    log = snapshot('[log]\npath = "/var/x.db"').settings.log
    assert (log.path, log.spool) == ("/var/x.db", "/etc/clawgw/clawgw.spool")


def test_tls_files_are_read_and_found_from_anywhere() -> None:
    text = '[server]\ntls_cert = "cert.pem"\ntls_key = "/keys/key.pem"'
    server = snapshot(text, files=TLS_FILES).settings.server
    assert (server.tls_cert, server.tls_key) == ("/etc/clawgw/cert.pem", "/keys/key.pem")
    assert mistakes(text) == [
        "server.tls_cert: cert.pem cannot be read: No such file or directory",
        "server.tls_key: /keys/key.pem cannot be read: No such file or directory",
    ]


@pytest.mark.parametrize(
    ("text", "environ", "provider"),
    [
        ("", {}, "echo"),
        ("[providers.openai]", {}, "echo"),
        ("", {"OPENAI_API_KEY": "sk-1"}, None),
        ("", {"LLM_PROVIDER": "openai"}, "openai"),
        ("", {"LLM_PROVIDER": "gemini", "OPENAI_API_KEY": "sk-1"}, "google"),
    ],
)
def test_echo_takes_every_model_name_only_where_nothing_else_could(
    text: str, environ: dict[str, str], provider: str | None
) -> None:
    assert snapshot(text, environ).settings.defaults.provider == provider


def test_the_version_changes_with_what_was_loaded_and_with_nothing_else() -> None:
    text, environ = "[providers.openai]\n", {"OPENAI_API_KEY": "sk-1"}
    first = snapshot(text, environ).version
    assert re.fullmatch("[0-9a-f]{12}", first)
    assert snapshot(text, {**environ, "PATH": "/bin"}).version == first
    others = {
        snapshot(text + "# more\n", environ).version,
        snapshot(text, {"OPENAI_API_KEY": "sk-2"}).version,
        snapshot(text, {**environ, "LLM_MAX_TOKENS": "5"}).version,
        snapshot(text, environ, overrides=Overrides(workers=2)).version,
    }
    assert len({first, *others}) == 5


SECRETS = st.text(alphabet="abcdefXYZ0123456789-_ \n\x00é", min_size=12, max_size=30).map(
    lambda rest: f"sk-secret{rest}"
)


@given(secret=SECRETS, literal=st.booleans())
def test_no_secret_is_ever_shown(secret: str, literal: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    quoted = "".join(f"\\u{ord(character):04x}" for character in secret)
    text = f"""
[providers.openai]
api_keys = ["env:KEY", "file:k"{f', "{quoted}"' if literal else ""}]
headers = {{ X-Account = "{quoted}" }}
[providers.groq]
base_url = "https://me:{quoted}@groq.example.com/v1"
[log.mongo]
url = "mongodb://me:{quoted}@db"
"""
    environ = {"KEY": secret, "ANTHROPIC_API_KEY": secret, "CLAWGW_ANTHROPIC_BASE_URL": f"https://x/?key={secret}"}
    with pytest.raises(ConfigError) as caught:
        snapshot(text, environ, {"/etc/clawgw/k": secret.encode()})
    assert "sk-secret" not in f"{caught.value}{caught.value!r}"


def test_a_snapshot_shows_no_secret() -> None:
    text = '[providers.openai]\napi_keys = ["env:KEY", "file:k"]\nheaders = { X-Account = "sk-secret3" }'
    loaded = snapshot(text, {"KEY": "sk-secret1"}, {"/etc/clawgw/k": b"sk-secret2"})
    assert [key.reveal() for key in loaded.providers["openai"].keys] == ["sk-secret1", "sk-secret2"]
    assert "sk-secret" not in f"{loaded!r}{loaded}"


NAMES = st.sampled_from(
    ["server", "providers", "openai", "routes", "fast", "targets", "keys", "log", "'a b'", "limits"]
)
VALUES = st.recursive(
    st.integers().map(str) | st.sampled_from(['"x"', "true", "nan", "inf", '"echo/echo"', "1979-05-27", "2.5"]),
    lambda inner: st.lists(inner, max_size=3).map(lambda values: f"[{', '.join(values)}]"),
    max_leaves=4,
)
LINES = st.one_of(
    st.lists(NAMES, min_size=1, max_size=3).map(lambda path: f"[{'.'.join(path)}]"),
    st.tuples(st.lists(NAMES, min_size=1, max_size=3), VALUES).map(lambda pair: f"{'.'.join(pair[0])} = {pair[1]}"),
    st.text(max_size=10),
)
ENVIRON = st.dictionaries(
    st.sampled_from(["LLM_PROVIDER", "LLM_FALLBACK_PROVIDERS", "LLM_TEMPERATURE", "LLM_MAX_TOKENS"])
    | st.sampled_from(["OPENAI_API_KEY", "CLAWGW_OPENAI_BASE_URL", "MOONSHOT_BASE_URL"]),
    st.text() | st.sampled_from(["1", "openai", "https://example.com", "sk-1"]),
)


@given(st.lists(LINES, max_size=6).map("\n".join), ENVIRON)
def test_any_text_and_environment_give_a_snapshot_or_mistakes(text: str, environ: dict[str, str]) -> None:
    try:
        loaded = snapshot(text, environ)
    except ConfigError as error:
        assert error.mistakes  # noqa: PT017 - either is right
    else:
        assert isinstance(loaded, Snapshot)
        assert "echo" in loaded.providers
