"""Who sends a request: its key, from `Authorization: Bearer KEY` (RFC 6750, 2.1) or `x-api-key`."""

from clawgw.config.callers import Caller, Callers
from clawgw.errors import AdminKeyRequired, InvalidApiKey
from clawgw.web.head import Headers

_BEARER = b"bearer"
_NO_KEY = b""


def authenticate(headers: Headers, callers: Callers) -> Caller:
    """The caller. Raises `InvalidApiKey` where a key is required and this is none."""
    presented = _presented(headers)
    caller = callers.find(presented.decode("utf-8", "surrogateescape"))
    if caller is None:
        raise InvalidApiKey(
            "this key is not known here: check it, or have the gateway's operator add it (`clawgw keys new NAME`)"
            if presented
            else "no key: send it as `Authorization: Bearer KEY` or `x-api-key: KEY`"
        )
    return caller


def check_admin(caller: Caller, callers: Callers) -> None:
    """Raises `AdminKeyRequired` where keys are required and this caller's is not an admin's."""
    if callers.anonymous is None and not caller.admin:
        raise AdminKeyRequired("this takes the key of an admin (`admin = true` under [[keys]])")


def _presented(headers: Headers) -> bytes:
    for authorization in headers.values(b"authorization"):
        scheme, _, key = authorization.partition(b" ")
        if scheme.lower() == _BEARER and (key := key.strip()):
            return key
    for key in headers.values(b"x-api-key"):
        if key:
            return key
    return _NO_KEY
