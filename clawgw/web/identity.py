"""Who a request is: our id for it, the caller's own, and whether it came through this gateway before.

Pure: the clock and the dice are handed in.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_SLOW_SHIFTS = range(30, -1, -10)
"""8 digits of 5 bits, by pairs."""
_DIGITS = (_CROCKFORD * 8).encode()
"""A digit for every byte, each digit for as many."""
RANDOM_BYTES = 14
_SANE = re.compile(rb"[A-Za-z0-9._-]{1,128}")


def request_id(now: float, random: bytes) -> str:
    """`req_` and 26 base-32 digits that sort by time: microseconds since the epoch, and a digit for each `random` byte.

    The alphabet and the length are a ULID's (github.com/ulid/spec); the time is finer, so that the ids of a fast
    sequence of requests sort too. Its 56 bits are followed by two that are 0, and then 70 by chance.
    """
    time = int(now * 1_000_000) << 2
    fast = _PAIRS[time >> 10 & 1023] + _PAIRS[time & 1023]
    return f"req_{_slow_digits(time >> 20)}{fast}{random.translate(_DIGITS).decode('ascii')}"


@lru_cache(maxsize=4)
def _slow_digits(time: int) -> str:
    """Those that are the same for a quarter of a second."""
    return "".join([_PAIRS[time >> shift & 1023] for shift in _SLOW_SHIFTS])


def sane_id(said: Sequence[bytes]) -> str | None:
    """The first of the ids that a caller gives to a request that is sane: at most 128 of `[A-Za-z0-9._-]`."""
    for value in said:
        if _SANE.fullmatch(value):
            return value.decode("ascii")
    return None


def came_through(via: Iterable[bytes], instance: str) -> bool:
    """Whether a `Via` header (RFC 9110, 7.6.3) names this gateway: `clawgw-INSTANCE`, or `clawgw` for any."""
    ours = {b"clawgw", b"clawgw-" + instance.encode()}
    hops = (hop.split() for value in via for hop in value.split(b","))
    return any(len(hop) > 1 and hop[1].lower() in ours for hop in hops)
