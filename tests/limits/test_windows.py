from datetime import UTC, datetime

import pytest

from clawgw.limits.bucket import Window
from clawgw.limits.windows import window


def ms(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type, misc] # year, month, day, …


@pytest.mark.parametrize(
    ("per", "now", "expected"),
    [
        ("minute", ms(2024, 2, 29, 12, 0, 59), (ms(2024, 2, 29, 12), ms(2024, 2, 29, 12, 1))),
        ("hour", ms(2024, 12, 31, 23, 59, 59), (ms(2024, 12, 31, 23), ms(2025, 1, 1))),
        ("day", ms(2024, 2, 29), (ms(2024, 2, 29), ms(2024, 3, 1))),
        ("month", ms(2024, 2, 29, 12), (ms(2024, 2, 1), ms(2024, 3, 1))),
        ("month", ms(2025, 1, 31), (ms(2025, 1, 1), ms(2025, 2, 1))),
        ("month", ms(2100, 2, 28, 23), (ms(2100, 2, 1), ms(2100, 3, 1))),
        ("month", ms(2026, 12, 31, 23, 59, 59), (ms(2026, 12, 1), ms(2027, 1, 1))),
    ],
)
def test_windows_are_those_of_the_calendar(per: Window, now: int, expected: tuple[int, int]) -> None:
    assert window(per, now) == expected
