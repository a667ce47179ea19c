import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from clawgw.config.mistakes import ConfigError
from clawgw.config.tables.server import Server
from clawgw.serve.tls import Tls


def server(folder: Path, authority: trustme.CA) -> Server:
    folder.mkdir()
    cert, key = folder / "cert.pem", folder / "key.pem"
    issued = authority.issue_cert("gateway.example")
    issued.private_key_pem.write_to_path(key)
    issued.cert_chain_pems[0].write_to_path(cert)
    return Server(tls_cert=str(cert), tls_key=str(key))


def handshake(tls: Tls, authority: trustme.CA) -> str | None:
    """With a client that trusts one authority and likes HTTP/2; what is spoken then. Raises ssl.SSLError."""
    assert tls.listening is not None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    context.set_alpn_protocols(["h2"])
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(down, up, server_hostname="gateway.example")
    listening = tls.listening.wrap_bio(up, down, server_side=True)
    steps = [client.do_handshake, listening.do_handshake]
    while steps:
        step = steps.pop(0)
        try:
            step()
        except ssl.SSLWantReadError:
            steps.append(step)
    return listening.selected_alpn_protocol()


def test_without_a_certificate_there_is_no_tls() -> None:
    tls = Tls.of(Server())
    assert (tls.listening, tls.current) == (None, None)


def test_nobody_is_asked_for_the_password_of_a_key(tmp_path: Path) -> None:
    files = server(tmp_path / "tls", trustme.CA())
    key = tmp_path / "tls" / "key.pem"
    plain = load_pem_private_key(key.read_bytes(), None)
    locked = BestAvailableEncryption(b"password")
    key.write_bytes(plain.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    with pytest.raises(ConfigError, match=r"^server\.tls_cert, server\.tls_key: ."):
        Tls.of(files)


@pytest.mark.parametrize("name", ["cert.pem", "missing.pem"])
def test_a_certificate_that_cannot_be_used(tmp_path: Path, name: str) -> None:
    (tmp_path / "cert.pem").write_text("no certificate")
    cert = str(tmp_path / name)
    with pytest.raises(ConfigError, match=r"^server\.tls_cert, server\.tls_key: ."):
        Tls.of(Server(tls_cert=cert, tls_key=cert))


def test_every_handshake_is_made_with_the_current_certificate(tmp_path: Path) -> None:
    old, new = trustme.CA(), trustme.CA()
    tls = Tls.of(server(tmp_path / "old", old))
    assert handshake(tls, old) == "h2"
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tls, new)
    tls.current = Tls.of(server(tmp_path / "new", new)).current
    assert handshake(tls, new) == "h2"
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tls, old)
