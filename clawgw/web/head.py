"""What is checked of a request's head before anything of its body is read.

Pure. What came over HTTP/1.1 was judged in `http1.request_head` before; `distrust` is for heads that came over HTTP/2:
somebody in front may have made them out of HTTP/1.1 that can be read in two ways (RFC 9113, 10.3).
"""

from collections.abc import Sequence

from clawgw.errors import BodyTooLarge, GatewayError, HeadTooLarge, InvalidRequest, LoopDetected, UnsupportedEncoding
from clawgw.http1.request_head import MAX_FIELDS, MAX_HEAD_BYTES
from clawgw.web.identity import came_through

Headers = Sequence[tuple[bytes, bytes]]


def values(headers: Headers, name: bytes) -> list[str]:
    """Every value of a header, in order. Names are lower case."""
    return [value.decode("latin-1").strip() for key, value in headers if key == name]


def distrust(headers: Headers) -> GatewayError | None:
    """Why a head is not taken: it is too large, or does not surely say where its body ends and whom it is for."""
    names = [name for name, _ in headers]
    lengths = values(headers, b"content-length")
    if lengths and b"transfer-encoding" in names:
        return InvalidRequest("both Content-Length and Transfer-Encoding: send one of them")
    if len(set(lengths)) > 1 or len(set(values(headers, b"host"))) > 1:
        return InvalidRequest("Content-Length or Host is there twice, with different values")
    if len(names) > MAX_FIELDS or sum(len(name) + len(value) for name, value in headers) > MAX_HEAD_BYTES:
        return HeadTooLarge(f"more than {MAX_FIELDS} header fields or {MAX_HEAD_BYTES} bytes of them")
    return None


def check_body_head(headers: Headers, max_body_bytes: int) -> None:
    """Refuse a body by what its head says of it. Raises `UnsupportedEncoding`, `BodyTooLarge`."""
    if not {value.lower() for value in values(headers, b"content-encoding")} <= {"", "identity"}:
        raise UnsupportedEncoding("compressed bodies are not taken: send the JSON as it is, without Content-Encoding")
    for length in values(headers, b"content-length"):
        if length.isdecimal() and int(length) > max_body_bytes:
            raise too_large(max_body_bytes)


def check_loop(headers: Headers, instance: str) -> None:
    """Raises `LoopDetected` where the request came through this gateway before."""
    via = values(headers, b"via")
    if via and came_through(via, instance):
        raise LoopDetected("the request came through this gateway already: a provider's base_url leads back here")


def too_large(max_body_bytes: int) -> BodyTooLarge:
    """The error for a body over the limit."""
    return BodyTooLarge(f"the body is over {max_body_bytes} bytes (server.max_body_bytes)")
