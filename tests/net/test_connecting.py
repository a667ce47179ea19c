import contextlib
import math
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import trio
import trio.testing

from clawgw.net import connecting
from clawgw.net.connecting import CONNECTION_ATTEMPT_DELAY_S, ForbiddenAddressError, connect
from clawgw.net.tcp import Tcp
from clawgw.net.tls import Tls
from tests.certificates import client_context, server_context
from tests.fake_upstream import json_answer, start_fake_upstream
from tests.given_time import within


class Resolver(trio.abc.HostnameResolver):
    """Answers every name with the addresses given, and counts how often it is asked."""

    def __init__(self, *addresses: tuple[str, int]) -> None:
        self.addresses = addresses
        self.asked = 0

    async def getaddrinfo(self, *_args: Any, **_kwargs: Any) -> Any:
        self.asked += 1
        await trio.lowlevel.checkpoint()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in self.addresses]

    async def getnameinfo(self, *_args: Any, **_kwargs: Any) -> Any:
        raise NotImplementedError


Resolve = Callable[..., Resolver]
Serve = Callable[[trio.SocketStream], Awaitable[None]]


@pytest.fixture
async def resolve() -> Any:
    def install(*addresses: tuple[str, int]) -> Resolver:
        resolver = Resolver(*addresses)
        trio.socket.set_custom_hostname_resolver(resolver)
        return resolver

    yield install
    trio.socket.set_custom_hostname_resolver(None)


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port of 127.0.0.1 that answers no attempt to connect: its queue is full and nobody accepts."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def refusing_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def peer_of(link: Tcp | Tls) -> tuple[str, int]:
    address: tuple[str, int] = (link.tcp if isinstance(link, Tls) else link).socket.getpeername()
    return address


async def connect_privately(host: str, port: int, tls: ssl.SSLContext | None = None) -> Tcp | Tls:
    return await connect(host, port, tls=tls, allow_private_network=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "0.0.0.0"])
async def test_private_addresses_are_refused_before_anything_is_sent(nursery: trio.Nursery, host: str) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    with pytest.raises(ForbiddenAddressError, match="allow_private_network = true"):
        await connect(host, fake.port, tls=None, allow_private_network=False)
    assert fake.accepted == 0


async def test_a_name_is_resolved_once_so_it_cannot_change_after_the_check(
    nursery: trio.Nursery, resolve: Resolve
) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    resolver = resolve(("127.0.0.1", fake.port))
    (await connect_privately("api.example.com", 443)).cut()
    assert resolver.asked == 1


async def test_of_several_addresses_only_public_ones_are_tried(
    nursery: trio.Nursery, resolve: Resolve, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    forbidden = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    monkeypatch.setattr(connecting, "is_public", lambda address: address == "127.0.0.1")
    resolve(("127.0.0.2", forbidden.port), ("127.0.0.1", allowed.port))
    link = await connect("api.example.com", 443, tls=None, allow_private_network=False)
    assert peer_of(link) == ("127.0.0.1", allowed.port)
    link.cut()
    assert forbidden.accepted == 0


async def test_a_refused_address_is_followed_by_the_next_at_once(
    nursery: trio.Nursery, resolve: Resolve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "CONNECTION_ATTEMPT_DELAY_S", math.inf)
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    resolve(("127.0.0.1", refusing_port()), ("127.0.0.1", fake.port))
    with trio.fail_after(5):
        link = await connect_privately("api.example.com", 443)
    assert peer_of(link) == ("127.0.0.1", fake.port)
    link.cut()


async def test_a_silent_address_is_joined_by_the_next_after_a_quarter_of_a_second(
    nursery: trio.Nursery, resolve: Resolve
) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    with black_hole() as silent:
        resolve(("127.0.0.1", silent), ("127.0.0.1", fake.port))
        started = trio.current_time()
        with trio.fail_after(5):
            link = await connect_privately("api.example.com", 443)
    assert trio.current_time() - started >= CONNECTION_ATTEMPT_DELAY_S
    assert peer_of(link) == ("127.0.0.1", fake.port)
    link.cut()


async def test_a_single_address_that_refuses() -> None:
    with pytest.raises(ConnectionRefusedError):
        await connect_privately("127.0.0.1", refusing_port())


async def test_the_error_is_the_first_addresss_when_all_refuse(resolve: Resolve) -> None:
    resolve(("127.0.0.1", refusing_port()), ("127.0.0.1", refusing_port()))
    with pytest.raises(ConnectionRefusedError):
        await connect_privately("api.example.com", 443)


def test_address_families_take_turns() -> None:
    six, four = socket.AF_INET6, socket.AF_INET
    rows = [(family, socket.SOCK_STREAM, 6, "", name) for family, name in [(six, 1), (six, 2), (six, 3), (four, 4)]]
    assert [row[4] for row in connecting._alternate_families(rows)] == [1, 4, 2, 3]


async def test_a_cancelled_attempt_leaves_no_socket_open() -> None:
    with black_hole() as port, trio.move_on_after(0.05) as scope:
        await connect_privately("127.0.0.1", port)
    assert scope.cancelled_caught


async def test_tls_is_spoken_with_a_peer_that_the_authority_vouches_for(nursery: trio.Nursery) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}), ssl_context=server_context())
    link = await connect_privately("127.0.0.1", fake.port, client_context())
    assert isinstance(link, Tls)
    link.cut()
    await fake.wait_closed(1)


@pytest.mark.parametrize(
    ("server", "client", "complaint"),
    [
        (server_context, ssl.create_default_context, "TLS: unable to get local issuer certificate"),
        (lambda: server_context("other.example"), client_context, "TLS: IP address mismatch, certificate is not valid"),
    ],
)
async def test_a_certificate_that_proves_nothing_is_refused(
    nursery: trio.Nursery, server: Callable[[], ssl.SSLContext], client: Callable[[], ssl.SSLContext], complaint: str
) -> None:
    async def serve(stream: trio.SocketStream) -> None:
        with contextlib.suppress(trio.BrokenResourceError):
            await trio.SSLStream(stream, server(), server_side=True).do_handshake()

    with pytest.raises(OSError, match=complaint):
        await connect_privately("127.0.0.1", await start(nursery, serve), client())


async def speak_http(stream: trio.SocketStream) -> None:
    await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with contextlib.suppress(trio.BrokenResourceError):
        await stream.receive_some()


async def hang_up(stream: trio.SocketStream) -> None:
    await stream.receive_some()


@pytest.mark.parametrize(
    ("serve", "complaint"),
    [(speak_http, "^TLS: wrong version number$"), (hang_up, "^the connection ended during the TLS handshake$")],
)
async def test_a_peer_that_does_not_speak_tls_is_refused(nursery: trio.Nursery, serve: Serve, complaint: str) -> None:
    with pytest.raises(OSError, match=complaint):
        await connect_privately("127.0.0.1", await start(nursery, serve), client_context())


async def start(nursery: trio.Nursery, serve: Serve) -> int:
    (listener,) = await nursery.start(trio.serve_listeners, serve, await trio.open_tcp_listeners(0, host="127.0.0.1"))
    return int(listener.socket.getsockname()[1])


async def test_cancelling_a_tls_handshake_cuts_the_connection(nursery: trio.Nursery) -> None:
    gone = trio.Event()

    async def stall(stream: trio.SocketStream) -> None:
        with contextlib.suppress(trio.BrokenResourceError):
            while await stream.receive_some():
                pass
        gone.set()

    port = await start(nursery, stall)
    with trio.move_on_after(0.05):
        await connect_privately("127.0.0.1", port, client_context())
    with within(1):
        await gone.wait()


@pytest.mark.parametrize("steps", range(12))
async def test_whenever_it_is_cancelled_no_socket_stays_open(nursery: trio.Nursery, steps: int) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))

    async def cancel_after(scope: trio.CancelScope) -> None:
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        scope.cancel()

    link = None
    with trio.CancelScope() as scope:
        nursery.start_soon(cancel_after, scope)
        link = await connect_privately("127.0.0.1", fake.port)
    if link is not None:
        link.cut()
    await trio.testing.wait_all_tasks_blocked()
    assert fake.open_connections == 0
