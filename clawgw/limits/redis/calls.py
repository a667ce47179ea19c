"""What the scripts are told and what they answer, packed as their Lua unpacks it. Amounts and times are doubles."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from clawgw.limits.arithmetic import MAX_LIMIT, Level
from clawgw.limits.bucket import Bucket, Spent
from clawgw.limits.redis.keys import Rules, rule

MOST_USED = 10**15
"""More in one reservation is not believed; as nano-dollars, a million dollars."""
_TIMES = Struct("<dd")
_SEED = Struct("<48s47sBdd")
_BEAT = Struct("<32sd")
_ANSWER = Struct("<qqq")
_LEVEL = Struct("<qq")


class Order(NamedTuple):
    """A reservation: the key of its record, and how much is wanted of each bucket."""

    record: bytes
    rules: Rules
    amounts: Sequence[int]


def reserve(orders: Iterable[Order], not_after_ms: int, expires_ms: int) -> bytes:
    """For reserve.lua."""
    call = _TIMES.pack(not_after_ms, expires_ms)
    for record, (rules, *_), amounts in orders:
        told: list[bytes | int] = []
        for known, amount in zip(rules, amounts, strict=True):
            told += known.packed, min(amount, known.limit + 1)
        call += _claims(len(rules)).pack(record, len(rules), *told)
    return call


def settle(record: bytes, used: Sequence[int]) -> bytes:
    """For settle.lua."""
    return _uses(len(used)).pack(record, *[min(amount, MOST_USED) for amount in used])


def renew(places: Sequence[tuple[bytes, bytes]]) -> bytes:
    """For renew.lua; bucket and member of each place."""
    return b"".join([key + member + b"\0" for key, member in places])


def seed(budget: Bucket, said: bytes, spent: Spent) -> bytes:
    """For seed.lua; `said` is the key of what the ledgers say."""
    known, amount = rule(budget), min(spent.amount, MAX_LIMIT["usd"])
    return _SEED.pack(known.key, said, known.code, spent.since_ms, amount) + spent.ledger.encode()


def beat(gateway: bytes, lifetime_ms: int) -> bytes:
    """For beat.lua."""
    return _BEAT.pack(gateway, lifetime_ms)


def answered(answer: bytes) -> tuple[int, int, int, Sequence[Level]]:
    """What reserve.lua or beat.lua has answered: three numbers, of which the second is the time; the claims' levels."""
    first, now_ms, third = _ANSWER.unpack_from(answer)
    return first, now_ms, third, list(_LEVEL.iter_unpack(answer[_ANSWER.size :]))


@lru_cache
def _claims(count: int) -> Struct:
    return Struct("<53sH" + count * "57sd")


@lru_cache
def _uses(count: int) -> Struct:
    return Struct("<53s" + count * "d")
