"""Amounts of money: whole pico-dollars (10⁻¹² USD), and how they are written.

A price in USD per million tokens with up to six decimals is a whole number of them per token, so that sums are exact.
"""

from decimal import Decimal

_PICO = 1_000_000_000_000
_MICRO = 1_000_000


def pico_dollars(usd: float) -> int:
    """An amount of USD as the decimal number that it is written as."""
    return _times(usd, _PICO)


def dollars(pico: int) -> float:
    """Pico-dollars as USD, for where a record or a label shows them."""
    return pico / _PICO


def dollars_text(pico: int) -> str:
    """Pico-dollars as a decimal number of USD, every digit of them: `0.000768`."""
    whole, rest = divmod(pico, _PICO)
    return f"{whole}.{rest:012}".rstrip("0") if rest else str(whole)


def nano_dollars(pico: int) -> int:
    """Pico-dollars as the next whole nano-dollars (10⁻⁹ USD), in which budgets are counted."""
    return -(-pico // 1000)


def token_rate(usd_per_million: float) -> int:
    """A price in USD per million tokens, as vendors write it: pico-dollars for a token."""
    return _times(usd_per_million, _MICRO)


def usd_per_million(rate: int) -> float:
    """The same the other way round."""
    return rate / _MICRO


def _times(usd: float, factor: int) -> int:
    return int((Decimal(repr(usd)) * factor).to_integral_value())
