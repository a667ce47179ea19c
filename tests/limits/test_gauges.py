from clawgw.limits.arithmetic import UNUSED
from clawgw.limits.bucket import Bucket, Standing
from clawgw.limits.gauges import standing

NOON = 1_709_208_000_000
"""2024-02-29 12:00:00 UTC."""
DAYS_MS = 86_400_000
TEN = Bucket("key", "k", "requests", 10)
DOLLAR = Bucket("key", "k", "usd", 1_000_000_000, "day")
PLACES = Bucket("key", "k", "concurrent", 3)


def test_places_know_neither_time_nor_end() -> None:
    assert standing(PLACES, (2, 0), NOON, 1) == Standing(PLACES, 1, 0, 0)
    assert standing(PLACES, (3, 0), NOON, 1) == Standing(PLACES, 0, 0, 1_000)


def test_a_bucket_stands_as_it_has_become_since() -> None:
    assert standing(TEN, (600_000, NOON), NOON + 6_000, 2) == Standing(TEN, 1, 54_000, 6_000)
    assert standing(DOLLAR, (7, NOON - DAYS_MS // 2 - DAYS_MS), NOON) == Standing(DOLLAR, 10**9, 43_200_000)
    assert standing(TEN, UNUSED, NOON) == Standing(TEN, 10, 0)
