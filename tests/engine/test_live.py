from typing import Any, cast

import pytest

from clawgw.config.settings import Settings
from clawgw.config.snapshot import Snapshot
from clawgw.engine.live import Live
from tests.living import live


@pytest.fixture
def closed() -> list[str]:
    return []


@pytest.fixture
def version(closed: list[str]) -> Live:
    return live(Snapshot("v1", Settings(), {}, {}), cast("Any", None), close=lambda: closed.append("v1"))


def test_without_a_request_it_is_closed_as_soon_as_it_is_retired(version: Live, closed: list[str]) -> None:
    version.retire()
    assert closed == ["v1"]


def test_the_last_request_closes_it(version: Live, closed: list[str]) -> None:
    with version:
        with version:
            version.retire()
        assert closed == []
    assert closed == ["v1"]


def test_one_that_fails_counts_as_ended(version: Live, closed: list[str]) -> None:
    with pytest.raises(ValueError, match="no"), version:  # noqa: PT012 - the order is what is tested
        version.retire()
        raise ValueError("no")
    assert closed == ["v1"]


def test_while_it_serves_the_end_of_all_requests_is_nothing(version: Live, closed: list[str]) -> None:
    for _ in range(2):
        with version:
            pass
    assert closed == []


async def test_what_a_request_has_settled_is_told_when_it_is_over(
    version: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(version.limiter.store, "flush", lambda: told.append("told"))
    with version:
        assert told == []
    assert told == ["told"]
