import pytest

from tests.config.loading import mistakes


def provider(line: str) -> list[str]:
    return mistakes(f"[providers.openai]\n{line}")


def route(line: str) -> list[str]:
    return mistakes(f'[routes.fast]\ntargets = ["openai/gpt-6-luna", "echo/echo"]\n{line}')


@pytest.mark.parametrize("value", ['"p95"', '"p1"', '"p99"', "0.5", "2"])
def test_a_hedge_starts_after_a_quantile_or_seconds(value: str) -> None:
    assert route(f"hedge_after = {value}") == []


@pytest.mark.parametrize("value", ['"p0"', '"p100"', '"95"', '""', "0", "-1.5"])
def test_or_after_neither(value: str) -> None:
    assert route(f"hedge_after = {value}") == [
        "routes.fast.hedge_after: must be a quantile such as p95, or seconds, more than 0"
    ]


@pytest.mark.parametrize("name", ["fast", "gpt-6*", "*", "openai/gpt-6-luna", "a:b@c"])
def test_names_of_routes(name: str) -> None:
    assert mistakes(f'[routes."{name}"]\ntargets = ["echo/echo"]') == []


@pytest.mark.parametrize("name", ["", "a b", "a*b", "**", "é", "\\n"])
def test_what_cannot_name_a_route(name: str) -> None:
    (line,) = mistakes(f'[routes."{name}"]\ntargets = ["echo/echo"]')
    assert line == f'routes."{name}": must be named like a model, without spaces, `*` at the end only'


@pytest.mark.parametrize(
    "name", ["Host", "Authorization", "x-api-key", "X-Goog-Api-Key", "Content-Length", "TE", "Via"]
)
def test_headers_that_are_not_for_configuration(name: str) -> None:
    assert provider(f'headers = {{ {name} = "x" }}') == [
        f"providers.openai.headers.{name}: must be a header that the gateway does not set itself"
    ]


def test_headers_go_on_one_line() -> None:
    assert provider('headers = { X-Title = "my app", HTTP-Referer = "https://example.com" }') == []
    assert provider('headers = { X-Title = "a\\r\\nHost: b" }') == [
        "providers.openai.headers.X-Title: must be a header's value: visible ASCII"
    ]
    assert provider('headers = { "X Title" = "a" }') == [
        'providers.openai.headers."X Title": must be a header\'s name (RFC 9110)'
    ]


@pytest.mark.parametrize("reference", ["sk-live-123", "env:", "env:A B", "file:", "ENV:OPENAI_API_KEY"])
def test_a_key_itself_is_refused_and_not_repeated(reference: str) -> None:
    assert provider(f'api_keys = ["{reference}"]') == [
        "providers.openai.api_keys[0]: must be env:NAME or file:PATH, never the key itself"
    ]


def test_an_address_with_a_password_is_refused_and_not_repeated() -> None:
    assert mistakes('[log.mongo]\nurl = "mongodb://me:hunter2@db"') == [
        "log.mongo.url: must be env:NAME, file:PATH or an address without a password"
    ]
    assert mistakes('[log.kafka]\nbrokers = "localhost:9092"\n[metrics]\nbind = ""') == []


def test_the_address_for_metrics_is_checked() -> None:
    assert mistakes('[metrics]\nbind = "9090"') == [
        "metrics.bind: must be HOST:PORT or [IPv6]:PORT, such as 127.0.0.1:8080"
    ]


def test_patterns_to_redact() -> None:
    assert mistakes("[log]\nredact = ['\\d{16}', '(?i)project \\w+']") == []


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("(", "must be a regular expression of Python's: missing ), unterminated subpattern at position 0"),
        ("[[a]", "must be a regular expression of Python's: Possible nested set at position 1"),
        ("a{99999999999}", "must be a regular expression of Python's: the repetition number is too large"),
        ("a*", "must not match where there is nothing: write + for *, say"),
        ("", "must not match where there is nothing: write + for *, say"),
    ],
)
def test_what_is_no_pattern_to_redact(pattern: str, complaint: str) -> None:
    assert mistakes(f"[log]\nredact = ['x', '{pattern}']") == [f"log.redact[1]: {complaint}"]


def test_how_much_of_a_body_can_be_kept() -> None:
    assert mistakes("[log]\nmax_body_bytes = 262144") == []
    assert mistakes("[log]\nmax_body_bytes = 262145") == ["log.max_body_bytes: must be at most 262144"]
