import socket

import pytest

from clawgw.config.addresses import Bind
from clawgw.serve.listeners import UNREAD_MS, StartFailed, bound, open_listeners

LOCAL = Bind("127.0.0.1", 0)


def test_a_free_port_is_found_and_listened_on() -> None:
    (listener,) = open_listeners([LOCAL])
    with listener, socket.create_connection((bound(listener).host, bound(listener).port)):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNREAD_MS


def test_several_binds() -> None:
    listeners = open_listeners([LOCAL, LOCAL])
    assert len({bound(listener).port for listener in listeners}) == 2
    for listener in listeners:
        listener.close()


def test_ipv6() -> None:
    (listener,) = open_listeners([Bind("::1", 0)])
    with listener:
        assert str(bound(listener)).startswith("[::1]:")


def test_a_port_in_use_is_said_and_nothing_stays_open() -> None:
    (taken,) = open_listeners([LOCAL])
    free = _free_port()
    with taken:
        with pytest.raises(StartFailed) as caught:
            open_listeners([Bind("127.0.0.1", free), bound(taken)])
        assert str(caught.value) == (
            f"cannot listen on {bound(taken)}: Address already in use; another program listens there, perhaps another"
            " gateway; another port: `--bind HOST:PORT`, and for the metrics `metrics.bind`"
        )
    (again,) = open_listeners([Bind("127.0.0.1", free)])
    again.close()


def test_an_address_of_another_machine() -> None:
    with pytest.raises(StartFailed, match=r"this machine does not have that address: 0\.0\.0\.0 and \[::\] stand for"):
        open_listeners([Bind("203.0.113.7", 0)])  # of TEST-NET-3 (RFC 5737)


@pytest.mark.parametrize("name", ["a..b", "a" * 64])
def test_a_name_that_no_host_has(name: str) -> None:
    with pytest.raises(StartFailed, match=r"cannot listen on a.*:80: that is no host's name"):
        open_listeners([Bind(name, 80)])


def test_a_name_that_is_no_address() -> None:
    with pytest.raises(StartFailed, match=r"cannot listen on no\.such\.host\.invalid:80: "):
        open_listeners([Bind("no.such.host.invalid", 80)])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
