"""Requests with their latencies in ms, and histograms of them."""

from typing import TypeAlias

from hypothesis import strategies as st

from clawgw.ledger.histogram import unpacked
from clawgw.ledger.latencies import LEAST_MS, MOST_MS, stored

Requests: TypeAlias = list[tuple[float | None, float | None]]

MS = st.floats(LEAST_MS, MOST_MS)
REQUESTS = st.lists(st.tuples(st.one_of(st.none(), MS), st.one_of(st.none(), MS)))


def counted(*latencies: object) -> int:
    return unpacked(stored(*latencies))


def histogram_of(requests: Requests) -> int:
    return sum(counted(*each) for each in requests)
