"""Who sends a request: its key, from `Authorization: Bearer KEY` (RFC 6750, 2.1) or `x-api-key`."""

from collections.abc import Iterator

from clawgw.config.callers import Caller, Callers
from clawgw.errors import AdminKeyRequired, InvalidApiKey
from clawgw.web.head import Headers, values

_NO_KEY = ""


def authenticate(headers: Headers, callers: Callers) -> Caller:
    """The caller. Raises `InvalidApiKey` where a key is required and this is none."""
    presented = next(_presented(headers), _NO_KEY)
    caller = callers.find(presented)
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


def _presented(headers: Headers) -> Iterator[str]:
    for authorization in values(headers, b"authorization"):
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() == "bearer" and key.strip():
            yield key.strip()
    yield from filter(None, values(headers, b"x-api-key"))
