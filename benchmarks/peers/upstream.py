"""The mock upstreams: c/upstream.c, in clear and with TLS."""

import http.client
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import trustme
from attrs import field, frozen

from benchmarks.peers.compiled import Programs
from benchmarks.peers.machine import on
from benchmarks.peers.messages import answer

MOST_S = 2 * 60 * 60
_PATIENCE_S = 5
_AUTHORITY = "authority.pem"


def get(port: int) -> bytes:
    """What a server on loopback answers to a GET. Raises OSError where there is none."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)) as connection:
        connection.request("GET", "/")
        return connection.getresponse().read()


@frozen
class Upstreams:
    """Their base URLs by the way they are asked: "plain", and "tls" where there is one; `authority` signs for it."""

    ports: Mapping[str, int]
    authority: Path
    urls: Mapping[str, str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        schemes = {"plain": "http", "tls": "https"}
        urls = {way: f"{schemes[way]}://127.0.0.1:{port}/v1" for way, port in self.ports.items()}
        object.__setattr__(self, "urls", urls)

    def running(self) -> int:
        """Streams that the plain one still sends."""
        return int(json.loads(get(self.ports["plain"]))["running"])


@contextmanager
def serving(programs: Programs, core: int, folder: Path) -> Iterator[Upstreams]:
    """Both, on one core, until the end."""
    (folder / "answer.json").write_bytes(answer())
    certificate = write_certificate(folder)
    with ExitStack() as open_:
        ports = {"plain": open_.enter_context(_serving(programs, core, folder, []))}
        if programs.tls:
            ports["tls"] = open_.enter_context(_serving(programs, core, folder, certificate))
        yield Upstreams(ports, folder / _AUTHORITY)


def write_certificate(folder: Path) -> list[str]:
    """One for loopback, and its key: the two files."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(str(folder / _AUTHORITY))
    issued.cert_chain_pems[0].write_to_path(str(folder / "certificate.pem"))
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    return [str(folder / "certificate.pem"), str(folder / "key.pem")]


@contextmanager
def _serving(programs: Programs, core: int, folder: Path, certificate: list[str]) -> Iterator[int]:
    command = [str(programs.upstream), str(folder / "answer.json"), str(MOST_S), *certificate]
    with on(core):
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own
    with process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()
