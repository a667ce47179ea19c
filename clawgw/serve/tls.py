"""The listeners' certificate, which a reload may renew while connections are open."""

import ssl
from typing import Self

from attrs import define
from hypercorn import Config

from clawgw.config.mistakes import ConfigError, Mistake
from clawgw.config.tables.server import Server


@define(eq=False)
class Tls:
    """The listeners have one context for good, `listening`; every handshake goes on with `current`."""

    listening: ssl.SSLContext | None
    current: ssl.SSLContext | None

    @classmethod
    def of(cls, server: Server) -> Self:
        """As `[server]` says; both are None where it wants no TLS. Raises ConfigError."""
        tls = cls(tls_context(server), tls_context(server))
        if tls.listening is not None:
            tls.listening.sni_callback = tls._hand_over
        return tls

    def _hand_over(self, handshake: ssl.SSLObject, _name: str, listening: ssl.SSLContext) -> None:
        """Called for every handshake, whether the client names a server or not."""
        handshake.context = self.current or listening


def tls_context(server: Server) -> ssl.SSLContext | None:
    """A context with the certificate as the files hold it now. Raises ConfigError where they cannot be used."""
    config = Config()
    config.certfile, config.keyfile = server.tls_cert, server.tls_key
    config.keyfile_password = ""  # else OpenSSL asks whoever sits at the terminal, and waits
    try:
        return config.create_ssl_context()
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError([Mistake("server.tls_cert, server.tls_key", f"{error.strerror or error}")]) from error
