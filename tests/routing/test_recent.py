from hypothesis import given
from hypothesis import strategies as st

from clawgw.routing.recent import RecentCount


def test_an_event_counts_while_its_bucket_is_one_of_the_last_ten() -> None:
    count = RecentCount(window_s=30.0)  # buckets of 3 s
    count.add(100.0)  # the bucket from 99 to 102
    assert count.total(128.9) == 1
    assert count.total(129.0) == 0


def test_a_long_pause_forgets_everything() -> None:
    count = RecentCount(window_s=10.0)
    for second in range(20):
        count.add(float(second))
    assert count.total(19.0) == 10
    assert count.total(1000.0) == 0


@given(st.lists(st.integers(0, 60), max_size=60), st.integers(0, 60))
def test_it_counts_what_a_list_of_all_events_would(pauses: list[int], last_pause: int) -> None:
    count, events, now = RecentCount(window_s=10.0), [], 0  # buckets of 1 s; time in quarters of a second
    for pause in pauses:
        now += pause
        count.add(now / 4)
        events.append(now)
    now += last_pause
    assert count.total(now / 4) == sum(now // 4 - event // 4 < 10 for event in events)
