"""Claims one by one, as tests like to say them."""

from collections.abc import Iterable
from typing import NamedTuple

from clawgw.limits.bucket import Bucket, Claims


class Claim(NamedTuple):
    bucket: Bucket
    amount: int


def together(claims: Iterable[Claim]) -> Claims:
    """As stores want them."""
    each = list(claims)
    return Claims(tuple(claim.bucket for claim in each), [claim.amount for claim in each])


def one_by_one(claims: Claims) -> list[Claim]:
    """As tests look at them."""
    return [Claim(*claim) for claim in zip(*claims, strict=True)]
