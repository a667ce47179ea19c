from collections.abc import Iterator

import pytest

from clawgw.config.settings import Settings
from clawgw.config.tables.limits import Budget, RateLimits
from clawgw.config.tables.providers import Provider
from clawgw.limits.bucket import Bucket
from clawgw.limits.limiter import REMAINING_S, Limiter
from clawgw.limits.memory import MemoryStore
from tests.limits.claims import Claim
from tests.limits.direct import Directly

NOON = 1_709_208_000_000
SETTINGS = Settings(
    providers={
        "a": Provider(limits=RateLimits(requests_per_minute=10, tokens_per_minute=1_000)),
        "poor": Provider(limits=RateLimits(10), budget=Budget(0.0, "day")),
        "free": Provider(),
    }
)
TOKENS = Bucket("provider", "a", "tokens", 1_000)


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    store = MemoryStore(lambda: NOON)
    yield store
    store.close()


@pytest.fixture
def limiter(store: MemoryStore) -> Limiter:
    return Limiter(SETTINGS, store, lambda _scope, _kind: None)


def test_what_is_left_of_a_provider_is_what_its_scarcest_bucket_has(store: MemoryStore, limiter: Limiter) -> None:
    assert Directly(store).passes("a", Claim(Bucket("provider", "a", "requests", 10), 1), Claim(TOKENS, 600))
    assert limiter.remaining_ratio("a", 100.0) == 0.4


def test_what_is_left_is_looked_at_again_after_a_moment(store: MemoryStore, limiter: Limiter) -> None:
    assert limiter.remaining_ratio("a", 100.0) == 1.0
    assert Directly(store).passes("a", Claim(TOKENS, 600))
    assert limiter.remaining_ratio("a", 100.0 + REMAINING_S / 2) == 1.0
    assert limiter.remaining_ratio("a", 100.0 + REMAINING_S) == 0.4


@pytest.mark.parametrize(("provider", "ratio"), [("poor", 0.0), ("free", 1.0), ("not configured", 1.0)])
def test_of_a_budget_of_nothing_nothing_is_left_and_without_limits_everything(
    limiter: Limiter, provider: str, ratio: float
) -> None:
    assert limiter.remaining_ratio(provider, 100.0) == ratio
