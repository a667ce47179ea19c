import pytest

from clawgw.config.known import KNOWN
from clawgw.config.snapshot import ReadyProvider, Secret
from tests.config.loading import mistakes, snapshot

LOCAL = '[providers.local]\nwire = "openai"\nbase_url = "http://127.0.0.1:11434/v1/"\nallow_private_network = true\n'


def provider(name: str, text: str = "", environ: dict[str, str] | None = None) -> ReadyProvider:
    return snapshot(text, environ).providers[name]


def test_without_anything_there_is_echo() -> None:
    assert list(snapshot().providers) == ["echo"]
    echo = provider("echo")
    assert (echo.wire, echo.keys, echo.not_ready, echo.default_model) == ("echo", (), None, "echo")


@pytest.mark.parametrize(
    ("variable", "name", "wire", "base_url", "version"),
    [
        ("OPENAI_API_KEY", "openai", "openai", "https://api.openai.com/v1", None),
        ("ANTHROPIC_API_KEY", "anthropic", "anthropic", "https://api.anthropic.com/v1", "2023-06-01"),
        ("GOOGLE_AI_API_KEY", "google", "gemini", "https://generativelanguage.googleapis.com/v1beta", None),
        ("GEMINI_API_KEY", "google", "gemini", "https://generativelanguage.googleapis.com/v1beta", None),
        ("MISTRAL_API_KEY", "mistral", "mistral", "https://api.mistral.ai/v1", None),
        ("GROQ_API_KEY", "groq", "groq", "https://api.groq.com/openai/v1", None),
        ("OPENROUTER_API_KEY", "openrouter", "openrouter", "https://openrouter.ai/api/v1", None),
        ("MOONSHOT_API_KEY", "moonshot", "moonshot", "https://api.moonshot.ai/v1", None),
    ],
)
def test_a_key_is_all_that_a_known_provider_needs(
    variable: str, name: str, wire: str, base_url: str, version: str | None
) -> None:
    loaded = snapshot(environ={variable: "sk-1"})
    assert list(loaded.providers) == [name, "echo"]
    ready = loaded.providers[name]
    assert (ready.wire, ready.base_url, ready.api_version) == (wire, base_url, version)
    assert ready.keys == (Secret("sk-1"),)
    assert ready.not_ready is None
    assert ready.default_model


def test_googles_own_variable_comes_first() -> None:
    environ = {"GEMINI_API_KEY": "second", "GOOGLE_AI_API_KEY": "first"}
    assert provider("google", environ=environ).keys == (Secret("first"),)


def test_the_order_is_file_then_environment_then_echo() -> None:
    loaded = snapshot(LOCAL + "[providers.groq]", {"ANTHROPIC_API_KEY": "a", "OPENAI_API_KEY": "o"})
    assert list(loaded.providers) == ["local", "groq", "openai", "anthropic", "echo"]
    assert list(snapshot("[providers.echo]\n[providers.groq]").providers) == ["echo", "groq"]


def test_a_provider_without_a_key_stays_and_says_what_to_do() -> None:
    assert provider("openai", "[providers.openai]").not_ready == "no key: set OPENAI_API_KEY"
    assert provider("google", "[providers.gemini]").not_ready == "no key: set GOOGLE_AI_API_KEY"
    pool = '[providers.openai]\napi_keys = ["env:A", "env:B"]'
    assert provider("openai", pool).not_ready == "no key: set A or B"


def test_a_known_provider_that_something_names_is_there() -> None:
    loaded = snapshot(
        '[defaults]\nprovider = "gemini"\nfallback_providers = ["groq"]\n[routes.x]\ntargets = ["mistral/m"]'
    )
    assert list(loaded.providers) == ["google", "mistral", "groq", "echo"]
    assert loaded.providers["mistral"].not_ready == "no key: set MISTRAL_API_KEY"
    assert loaded.settings.defaults.provider == "google"


def test_a_pool_takes_what_is_set_and_warns_of_the_rest() -> None:
    text = '[providers.openai]\napi_keys = ["env:A", "env:B", "file:k", "env:C"]'
    loaded = snapshot(text, {"A": "sk-1", "C": "sk-1", "OPENAI_API_KEY": "unused"}, {"/etc/clawgw/k": b"sk-2\n"})
    assert loaded.providers["openai"].keys == (Secret("sk-1"), Secret("sk-2"))
    assert loaded.warnings == ("providers.openai.api_keys: B is not set; the other keys are used",)


def test_bad_keys_are_told_by_place() -> None:
    text = '[providers.openai]\napi_keys = ["file:none", "env:A"]'
    assert mistakes(text, {"A": "sk 1", "GROQ_API_KEY": "gsk 1"}) == [
        "providers.openai.api_keys[0]: none cannot be read: No such file or directory",
        "providers.openai.api_keys[1]: A must hold one key: visible ASCII characters without spaces",
        "GROQ_API_KEY: GROQ_API_KEY must hold one key: visible ASCII characters without spaces",
    ]


def test_a_server_of_ones_own_needs_no_key() -> None:
    local = provider("local", LOCAL)
    assert (local.keys, local.not_ready, local.default_model) == ((), None, None)
    assert local.base_url == "http://127.0.0.1:11434/v1"
    assert local.allow_private_network


def test_no_key_on_purpose() -> None:
    assert provider("openai", "[providers.openai]\napi_keys = []").not_ready is None


def test_a_second_echo() -> None:
    second = provider("openai", '[providers.openai]\nwire = "echo"\ntokens_per_second = 50')
    assert (second.wire, second.base_url, second.not_ready) == ("echo", "", None)
    assert (second.default_model, second.tokens_per_second) == ("echo", 50.0)


def test_a_versioned_wire_under_another_name() -> None:
    text = '[providers.claude]\nwire = "anthropic"\nbase_url = "https://claude.example.com/v1"\n'
    assert provider("claude", text).api_version == "2023-06-01"
    assert provider("claude", text + 'api_version = "2026-10-21"').api_version == "2026-10-21"


@pytest.mark.parametrize(
    ("name", "environ"),
    [
        ("openai", {"CLAWGW_OPENAI_BASE_URL": "https://e.example.com/"}),
        ("google", {"CLAWGW_GEMINI_BASE_URL": "https://e.example.com"}),
        (
            "google",
            {"CLAWGW_GOOGLE_BASE_URL": "https://e.example.com", "CLAWGW_GEMINI_BASE_URL": "https://f.example.com"},
        ),
        ("moonshot", {"MOONSHOT_BASE_URL": "https://e.example.com"}),
        (
            "moonshot",
            {"CLAWGW_MOONSHOT_BASE_URL": "https://e.example.com", "MOONSHOT_BASE_URL": "https://f.example.com"},
        ),
        ("my.own-one", {"CLAWGW_MY_OWN_ONE_BASE_URL": "https://e.example.com"}),
    ],
)
def test_a_base_url_of_the_environment_wins(name: str, environ: dict[str, str]) -> None:
    text = f'[providers."{name}"]\nwire = "openai"\nbase_url = "https://file.example.com"'
    assert provider(name, text, environ).base_url == "https://e.example.com"


def test_the_clients_variable_is_not_read() -> None:
    environ = {"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": "http://127.0.0.1:8080/v1"}
    assert provider("openai", environ=environ).base_url == "https://api.openai.com/v1"


def test_a_bad_base_url_is_named_by_where_it_stands() -> None:
    message = "must start with https:// (or http://, where allow_private_network = true)"
    assert mistakes('[providers.groq]\nbase_url = "http://groq"') == [f"providers.groq.base_url: {message}"]
    assert mistakes("[providers.groq]", {"CLAWGW_GROQ_BASE_URL": "http://groq"}) == [f"CLAWGW_GROQ_BASE_URL: {message}"]


def test_every_known_provider_can_be_a_fallback() -> None:
    names = ",".join(KNOWN)
    assert snapshot(environ={"LLM_FALLBACK_PROVIDERS": names}).settings.defaults.fallback_providers == tuple(KNOWN)
