"""The programs in C at work, over loopback: the mock upstream answers, the load generator counts."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import h11
import pytest

from benchmarks.peers.compiled import Programs, compile_programs
from benchmarks.peers.load import Load, LoadFailed, Result, apply
from benchmarks.peers.machine import usable_cores
from benchmarks.peers.messages import DRIP, PLAIN, Question, answer, burst, request
from benchmarks.peers.upstream import Upstreams, serving

CORE = usable_cores()[-1]
MOST_S = 20.0


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return compile_programs(tmp_path_factory.mktemp("programs"))


@pytest.fixture(scope="module")
def upstreams(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstreams]:
    with serving(programs, CORE, tmp_path_factory.mktemp("upstreams")) as served:
        yield served


def ask(programs: Programs, upstreams: Upstreams, question: Question, load: Load, tokens: int) -> Result:
    return apply(programs.load, CORE, upstreams.ports["plain"], request(question, "m", {}), load, tokens)


def exchange(stream: socket.socket, question: Question) -> tuple[int, str]:
    """Status and body of what the mock upstream answers."""
    connection, body = h11.Connection(h11.CLIENT), b""
    connection.send(h11.Request(method="POST", target="/", headers=[("host", "h")]))
    connection.send(h11.EndOfMessage())
    stream.sendall(request(question, "m", {}))
    status = 0
    while not isinstance(event := connection.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            connection.receive_data(stream.recv(65536))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
    return status, body.decode()


def events(body: str) -> list[str]:
    return [event.removeprefix("data: ") for event in body.split("\n\n") if event]


def test_a_plain_answer(upstreams: Upstreams) -> None:
    with socket.create_connection(("127.0.0.1", upstreams.ports["plain"])) as stream:
        for _ in range(2):  # the connection is kept
            assert exchange(stream, PLAIN) == (200, answer().decode())


def test_a_burst_is_a_stream_of_so_many_tokens_no_two_alike(upstreams: Upstreams) -> None:
    with socket.create_connection(("127.0.0.1", upstreams.ports["plain"])) as stream:
        status, body = exchange(stream, burst(300))
    *chunks, done = events(body)
    contents = [json.loads(chunk)["choices"][0]["delta"].get("content") for chunk in chunks]
    assert (status, done) == (200, "[DONE]")
    assert contents == ["", *(f"~tok~{number} " for number in range(300)), None]


def test_with_tls_it_answers_the_same(programs: Programs, upstreams: Upstreams) -> None:
    assert programs.tls is ("tls" in upstreams.ports)
    for port in [port for way, port in upstreams.ports.items() if way == "tls"]:
        context = ssl.create_default_context(cafile=str(upstreams.authority))
        with (
            socket.create_connection(("127.0.0.1", port)) as raw,
            context.wrap_socket(raw, server_hostname="127.0.0.1") as stream,
        ):
            assert exchange(stream, PLAIN) == (200, answer().decode())
            assert len(events(exchange(stream, burst(2000))[1])) == 2003


def test_so_many_requests_are_answered_and_timed(programs: Programs, upstreams: Upstreams) -> None:
    result = ask(programs, upstreams, PLAIN, Load(8, MOST_S, 1000), tokens=1)
    assert (result.answers, result.failed, result.left, result.tokens) == (1000, 0, 0, 1000)
    assert 0 < result.p50_ns <= result.p99_ns < result.seconds * 1e9
    assert 0 < result.first_p50_ns <= result.p50_ns


def test_every_token_of_a_stream_is_counted(programs: Programs, upstreams: Upstreams) -> None:
    result = ask(programs, upstreams, burst(1234), Load(3, MOST_S, 20), tokens=1234)
    assert (result.answers, result.tokens) == (20, 20 * 1234)


def test_it_ends_when_its_time_is_over(programs: Programs, upstreams: Upstreams) -> None:
    result = ask(programs, upstreams, PLAIN, Load(2, 0.2), tokens=1)
    assert result.answers > 0
    assert 0.2 <= result.seconds < MOST_S


def test_an_answer_that_lacks_a_token_has_failed(programs: Programs, upstreams: Upstreams) -> None:
    with pytest.raises(LoadFailed, match=r"5 of 5 failed: an answer is not as expected, status 200, 10 tokens"):
        ask(programs, upstreams, burst(10), Load(1, MOST_S, 5), tokens=11)


def test_clients_leave_in_the_middle_of_a_stream_and_the_upstream_notices(
    programs: Programs, upstreams: Upstreams
) -> None:
    result = ask(programs, upstreams, DRIP, Load(4, MOST_S, 40, leave=True), tokens=50)
    assert (result.answers, result.left, result.failed) == (0, 40, 0)
    until = time.monotonic() + MOST_S
    while upstreams.running():
        assert time.monotonic() < until


def test_a_stream_that_drips_is_running_until_its_client_leaves(upstreams: Upstreams) -> None:
    with socket.create_connection(("127.0.0.1", upstreams.ports["plain"])) as stream:
        stream.sendall(request(DRIP, "m", {}))
        while b"~tok~" not in stream.recv(65536):
            pass
        assert upstreams.running() == 1


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "status 500"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n~tok~", "the server closed the connection"),
        (b"", "the server closed the connection"),
    ],
)
def test_what_a_server_does_wrong_is_told(programs: Programs, sent: bytes, why: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            stream, _ = listener.accept()
            with stream:
                stream.recv(65536)
                stream.sendall(sent)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(LoadFailed, match=f"1 of 1 failed: .*{why}"):
            apply(programs.load, CORE, listener.getsockname()[1], request(PLAIN, "m", {}), Load(1, MOST_S, 1), 1)
        thread.join()
