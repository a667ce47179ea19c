"""Who a request is: our id for it, the caller's own, and whether it came through this gateway before.

Pure: the clock and the dice are handed in.
"""

import re
from collections.abc import Iterable

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_SHIFTS = range(120, -1, -10)
"""26 digits of 5 bits, by pairs."""
_TIME_BYTES = 7
RANDOM_BYTES = 9
_SANE = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_CALLER_HEADERS = (b"x-client-request-id", b"x-request-id")


def request_id(now: float, random: bytes) -> str:
    """`req_` and 26 base-32 digits that sort by time: 56 bits of microseconds since the epoch, 72 of `random`.

    The alphabet and the length are a ULID's (github.com/ulid/spec); the time is finer, so that the ids of a fast
    sequence of requests sort too.
    """
    number = int.from_bytes(int(now * 1_000_000).to_bytes(_TIME_BYTES, "big") + random, "big")
    return "req_" + "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def client_request_id(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The caller's own id, if it is sane: at most 128 of `[A-Za-z0-9._-]`. Header names are lower case."""
    said = {name: value for name, value in headers if name in _CALLER_HEADERS and _SANE.fullmatch(value)}
    return next((said[name].decode("ascii") for name in _CALLER_HEADERS if name in said), None) if said else None


def came_through(via: Iterable[str], instance: str) -> bool:
    """Whether a `Via` header (RFC 9110, 7.6.3) names this gateway: `clawgw-INSTANCE`, or `clawgw` for any."""
    ours = {"clawgw", f"clawgw-{instance}"}
    hops = (hop.split() for value in via for hop in value.split(","))
    return any(len(hop) > 1 and hop[1].lower() in ours for hop in hops)
