"""Every recorded and documented exchange through the running gateway (`replay.py` says how)."""

from collections.abc import Sequence

import pytest
import trio

from tests.recordings.exchange import EXTRAS, WIRES, Exchange, NotReplayed, read_all
from tests.recordings.replay import Result, replay_all
from tests.recordings.table import render, shortfalls
from tests.shared import needs_shared

pytestmark = needs_shared


@pytest.fixture(scope="module")
def found() -> Sequence[Exchange | NotReplayed]:
    return read_all()


@pytest.fixture(scope="module")
def results(found: Sequence[Exchange | NotReplayed]) -> Sequence[Result]:
    return trio.run(replay_all, [one for one in found if isinstance(one, Exchange)])


def test_every_chat_and_embedding_exchange_is_replayed(found: Sequence[Exchange | NotReplayed]) -> None:
    left_out = {one.endpoint for one in found if isinstance(one, NotReplayed)}
    assert not left_out & {"chat", "embeddings"}
    assert {one.provider for one in found if isinstance(one, Exchange)} >= set(WIRES) - EXTRAS


def test_enough_exchanges_pass(
    found: Sequence[Exchange | NotReplayed], results: Sequence[Result], capsys: pytest.CaptureFixture[str]
) -> None:
    table = render(results, [one for one in found if isinstance(one, NotReplayed)])
    with capsys.disabled():
        print(f"\n{table}")  # noqa: T201 - the table is what a run is read for
    assert list(shortfalls(results)) == []
