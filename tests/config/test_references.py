import pytest

from clawgw.config.load import Overrides
from clawgw.config.references import parse_target
from clawgw.policy import Target
from tests.config.loading import mistakes, snapshot

CERTIFICATE = {"/etc/clawgw/cert.pem": b"c", "/etc/clawgw/key.pem": b"k"}
OPEN_DOOR = (
    "0.0.0.0:80 can be reached from other machines, and no key protects it: run `clawgw keys new NAME` and put what it"
    " prints into the configuration, bind 127.0.0.1, or write `required = false` under [auth] to let everyone in"
)
WIRES = "openai, anthropic, gemini, mistral, groq, openrouter, moonshot, echo"
LOCAL = '[providers.local]\nwire = "openai"\nbase_url = "https://local.example.com/v1"\n'


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("groq/openai/gpt-oss-120b", Target("groq", "openai/gpt-oss-120b")),
        ("gemini/gemini-3.8-flash", Target("google", "gemini-3.8-flash")),
        ("openai", None),
        ("openai/", None),
        ("/x", None),
    ],
)
def test_targets(text: str, target: Target | None) -> None:
    assert parse_target(text) == target


def test_a_route_names_providers_that_exist() -> None:
    text = '[routes.fast]\ntargets = ["gorq/x", "openai", "gemini/x", "local/x"]\n' + LOCAL
    assert mistakes(text) == [
        "routes.fast.targets[0]: no provider is named gorq, did you mean groq?",
        "routes.fast.targets[1]: must be provider/model",
    ]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("[1]", "must have as many numbers as there are targets"),
        ("[1, 2, 3]", "must have as many numbers as there are targets"),
        ("[0, 0]", "must have at least one number that is more than 0"),
    ],
)
def test_weights_fit_their_targets(weights: str, message: str) -> None:
    text = f'[routes.fast]\ntargets = ["openai/a", "groq/b"]\nstrategy = "weighted"\nweights = {weights}'
    assert mistakes(text) == [f"routes.fast.weights: {message}"]


def test_defaults_name_providers_that_exist_and_can_answer_alone() -> None:
    text = '[defaults]\nprovider = "opnai"\nfallback_providers = ["groq", "local", "nobody"]\n' + LOCAL
    assert mistakes(text) == [
        "defaults.provider: no provider is named opnai, did you mean openai?",
        "defaults.fallback_providers: local has no default_model to answer with: give it one under [providers.local]",
        "defaults.fallback_providers: no provider is named nobody",
    ]
    assert mistakes('[defaults]\nfallback_providers = ["local"]\n' + LOCAL + 'default_model = "m"') == []


def test_keys_are_told_apart() -> None:
    keys = [("a", "0" * 64), ("b", "A" * 64), ("a", "a" * 64)]
    text = "\n".join(f'[[keys]]\nname = "{name}"\nsha256 = "{digest}"' for name, digest in keys)
    assert mistakes(text) == [
        "keys[2].name: the same as keys[0].name",
        "keys[2].sha256: the same as keys[1].sha256",
    ]


def test_a_provider_is_listed_under_one_name() -> None:
    assert mistakes("[providers.google]\n[providers.gemini]") == [
        "providers.gemini: the same provider as providers.google"
    ]


def test_an_unknown_provider_says_what_it_is() -> None:
    assert mistakes("[providers.opnai]") == [
        "providers.opnai.wire: missing: opnai is not a known one, so it needs wire and base_url, did you mean openai?",
        "providers.opnai.base_url: missing",
    ]


def test_what_is_wrong_already_is_not_missing_too() -> None:
    assert mistakes('[providers.local]\nwire = "opnai"\nbase_url = 5') == [
        f"providers.local.wire: must be one of {WIRES}, did you mean openai?",
        "providers.local.base_url: must be a string, not a whole number",
    ]


def test_keys_of_one_wire_only() -> None:
    assert mistakes(
        '[providers.groq]\napi = "chat"\ntokens_per_second = 5\n[providers.echo]\ntokens_per_second = 5'
    ) == [
        'providers.groq.api: only for wire = "openai"',
        'providers.groq.tokens_per_second: only for wire = "echo"',
    ]


def test_a_header_is_sent_once() -> None:
    assert mistakes('[providers.groq.headers]\nX-A = "1"\nx-a = "2"') == [
        "providers.groq.headers.x-a: the same header as X-A"
    ]


@pytest.mark.parametrize(("given", "missing"), [("tls_cert", "tls_key"), ("tls_key", "tls_cert")])
def test_certificate_and_key_go_together(given: str, missing: str) -> None:
    assert mistakes(f'[server]\n{given} = "cert.pem"', files=CERTIFICATE) == [
        f"server.{missing}: missing: tls_cert and tls_key go together"
    ]


def test_an_open_door_needs_a_word() -> None:
    assert mistakes('[server]\nbind = ["127.0.0.1:80", "0.0.0.0:80"]') == [f"server.bind: {OPEN_DOOR}"]
    assert mistakes(overrides=Overrides(bind="0.0.0.0:80")) == [f"--bind: {OPEN_DOOR}"]
    assert snapshot('[server]\nbind = ["0.0.0.0:80"]\n[auth]\nrequired = false').settings.auth.required is False
    assert mistakes('[server]\nbind = ["[::1]:80", "localhost:81"]') == []


def test_an_address_is_listened_on_once() -> None:
    text = '[server]\nbind = ["127.0.0.1:80", "[::1]:80", "127.0.0.1:080"]\n[metrics]\nbind = "[::1]:80"'
    assert mistakes(text) == [
        "server.bind[2]: the same address as server.bind[0]",
        "metrics.bind: the same address as server.bind[1]",
    ]
    assert mistakes('[server]\nbind = ["127.0.0.1:0", "127.0.0.1:0"]\n[metrics]\nbind = "127.0.0.1:0"') == []
    assert mistakes('[metrics]\nbind = "127.0.0.1:90"', overrides=Overrides(bind="127.0.0.1:90")) == [
        "metrics.bind: the same address as server.bind[0]"
    ]
