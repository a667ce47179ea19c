"""What is checked of a request's head before anything of its body is read.

Pure. What came over HTTP/1.1 was judged in `http1.request_head` before; `distrust` is for heads that came over HTTP/2:
somebody in front may have made them out of HTTP/1.1 that can be read in two ways (RFC 9113, 10.3).
"""

from collections.abc import Sequence

from attrs import define, field

from clawgw.errors import BodyTooLarge, GatewayError, HeadTooLarge, InvalidRequest, LoopDetected, UnsupportedEncoding
from clawgw.http1.request_head import MAX_FIELDS, MAX_HEAD_BYTES
from clawgw.routing.facts import RawHeaders
from clawgw.web.identity import came_through, sane_id

_BODY_AS_IT_IS = {b"", b"identity"}


@define(eq=False)
class Headers:
    """The fields of a request, which most questions find without what they ask for. Names are lower case."""

    pairs: RawHeaders
    _named: dict[bytes, bytes] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._named = dict(self.pairs)

    def values(self, name: bytes) -> Sequence[bytes]:
        """Every value of a field, in order."""
        if name not in self._named:
            return ()
        if len(self._named) == len(self.pairs):  # nothing is there twice
            return (self._named[name].strip(),)
        return [value.strip() for each, value in self.pairs if each == name]


def distrust(headers: Headers) -> GatewayError | None:
    """Why a head is not taken: it is too large, or does not surely say where its body ends and whom it is for."""
    lengths = headers.values(b"content-length")
    if lengths and headers.values(b"transfer-encoding"):
        return InvalidRequest("both Content-Length and Transfer-Encoding: send one of them")
    if len(set(lengths)) > 1 or len(set(headers.values(b"host"))) > 1:
        return InvalidRequest("Content-Length or Host is there twice, with different values")
    size = sum(len(name) + len(value) for name, value in headers.pairs)
    if len(headers.pairs) > MAX_FIELDS or size > MAX_HEAD_BYTES:
        return HeadTooLarge(f"more than {MAX_FIELDS} header fields or {MAX_HEAD_BYTES} bytes of them")
    return None


def check_body_head(headers: Headers, max_body_bytes: int) -> None:
    """Refuse a body by what its head says of it. Raises `UnsupportedEncoding`, `BodyTooLarge`."""
    for encoding in headers.values(b"content-encoding"):
        if encoding.lower() not in _BODY_AS_IT_IS:
            raise UnsupportedEncoding("compressed bodies are not taken: send the JSON as it is, no Content-Encoding")
    for length in headers.values(b"content-length"):
        if length.isdigit() and int(length) > max_body_bytes:
            raise too_large(max_body_bytes)


def check_loop(headers: Headers, instance: str) -> None:
    """Raises `LoopDetected` where the request came through this gateway before."""
    via = headers.values(b"via")
    if via and came_through(via, instance):
        raise LoopDetected("the request came through this gateway already: a provider's base_url leads back here")


def client_request_id(headers: Headers) -> str | None:
    """The caller's own id for its request, if it is sane; `x-client-request-id` comes first."""
    return sane_id(headers.values(b"x-client-request-id")) or sane_id(headers.values(b"x-request-id"))


def too_large(max_body_bytes: int) -> BodyTooLarge:
    """The error for a body over the limit."""
    return BodyTooLarge(f"the body is over {max_body_bytes} bytes (server.max_body_bytes)")
