from pathlib import Path

import pytest

from clawgw.config.mistakes import ConfigError
from clawgw.config.settings import Server
from clawgw.serve.tls import Tls


def test_without_a_certificate_there_is_no_tls() -> None:
    tls = Tls.of(Server())
    assert (tls.listening, tls.current) == (None, None)


@pytest.mark.parametrize("name", ["cert.pem", "missing.pem"])
def test_a_certificate_that_cannot_be_used(tmp_path: Path, name: str) -> None:
    (tmp_path / "cert.pem").write_text("no certificate")
    cert = str(tmp_path / name)
    with pytest.raises(ConfigError, match=r"^server\.tls_cert, server\.tls_key: ."):
        Tls.of(Server(tls_cert=cert, tls_key=cert))
