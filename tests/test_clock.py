import time

import pytest

from clawgw.clock import now_ms


def test_milliseconds_are_whole_and_those_that_have_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_709_208_000_123_999_999)
    assert now_ms() == 1_709_208_000_123
