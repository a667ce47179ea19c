import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.config.addresses import Bind, base_url_complaint, parse_bind


@pytest.mark.parametrize(
    ("text", "bind"),
    [
        ("127.0.0.1:8080", Bind("127.0.0.1", 8080)),
        ("localhost:0", Bind("localhost", 0)),
        ("[::1]:65535", Bind("::1", 65535)),
        ("gw.example.com:443", Bind("gw.example.com", 443)),
    ],
)
def test_addresses_to_listen_on(text: str, bind: Bind) -> None:
    assert parse_bind(text) == bind
    assert str(bind) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("8080", "must be HOST:PORT or [IPv6]:PORT, such as 127.0.0.1:8080"),
        (":8080", "must be HOST:PORT or [IPv6]:PORT, such as 127.0.0.1:8080"),
        ("::1:8080", "must be HOST:PORT or [IPv6]:PORT, such as 127.0.0.1:8080"),
        ("h:٣", "must be HOST:PORT or [IPv6]:PORT, such as 127.0.0.1:8080"),
        ("h:1\n", "must be HOST:PORT or [IPv6]:PORT, such as 127.0.0.1:8080"),
        ("h:65536", "must have a port from 0 to 65535"),
        ("[1.2]:80", "must have an IPv6 address between the brackets"),
    ],
)
def test_addresses_nobody_can_listen_on(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"^must") as caught:
        parse_bind(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host: str, loopback: bool) -> None:  # noqa: FBT001 - a test's row
    assert Bind(host, 80).is_loopback is loopback


@pytest.mark.parametrize(
    "url", ["https://api.example.com/v1", "https://api.example.com:8443", "https://[2001:db8::1]/v1"]
)
def test_base_urls_that_can_be_called(url: str) -> None:
    assert base_url_complaint(url, allow_private_network=False) is None


def test_plain_http_is_for_private_networks() -> None:
    url = "http://127.0.0.1:11434/v1"
    assert base_url_complaint(url, allow_private_network=True) is None
    assert (
        base_url_complaint(url, allow_private_network=False)
        == "must start with https:// (or http://, where allow_private_network = true)"
    )


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("api.example.com/v1", "must start with https:// (or http://, where allow_private_network = true)"),
        ("file:///etc/passwd", "must start with https:// (or http://, where allow_private_network = true)"),
        ("https:///v1", "must name a host, such as https://api.example.com/v1"),
        ("https://u:hunter2@example.com/v1", "must not hold a user or a password: keys go into api_keys"),
        ("https://example.com/v1?key=hunter2", "must not hold a query or a fragment"),
        ("https://example.com/v1#", "must not hold a query or a fragment"),
        ("https://example.com/v 1", "must be a URL such as https://api.example.com/v1"),
        ("https://example.com\r\nHost:", "must be a URL such as https://api.example.com/v1"),
        ("https://example.com:99999/v1", "must be a URL such as https://api.example.com/v1"),
        ("https://[::1/v1", "must be a URL such as https://api.example.com/v1"),
    ],
)
def test_base_urls_that_cannot(url: str, message: str) -> None:
    assert base_url_complaint(url, allow_private_network=True) == message


@given(st.text())
def test_any_text_is_an_address_or_a_value_error(text: str) -> None:
    try:
        bind = parse_bind(text)
    except ValueError:
        return
    assert str(bind).rpartition(":")[0] == text.rpartition(":")[0]
    assert 0 <= bind.port <= 65535


@given(st.text() | st.text().map(lambda rest: f"https://{rest}"))
def test_any_url_is_judged_without_being_repeated(url: str) -> None:
    complaint = base_url_complaint(url, allow_private_network=False)
    assert complaint is None or complaint.startswith("must ")
