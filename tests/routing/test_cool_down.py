from clawgw.routing.cool_down import CoolDown


def test_without_a_hint_it_doubles_from_one_second_to_thirty() -> None:
    cool_down, now, lasted = CoolDown(), 100.0, []
    for _ in range(7):
        cool_down.throttled(now)
        lasted.append(cool_down.left_s(now))
        now += lasted[-1]
        assert cool_down.left_s(now) == 0.0
    assert lasted == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_a_hint_is_kept_to_and_the_longer_one_wins() -> None:
    cool_down = CoolDown()
    cool_down.throttled(100.0, hint_s=20.0)
    assert cool_down.left_s(105.0) == 15.0
    cool_down.throttled(105.0, hint_s=1.0)
    assert cool_down.left_s(105.0) == 15.0
    cool_down.throttled(105.0, hint_s=60.0)
    assert cool_down.left_s(105.0) == 60.0


def test_a_hint_of_none_at_all_is_taken_at_its_word() -> None:
    cool_down = CoolDown()
    cool_down.throttled(100.0, hint_s=0.0)
    assert cool_down.left_s(100.0) == 0.0


def test_a_hint_for_ever_lasts_an_hour() -> None:
    cool_down = CoolDown()
    cool_down.throttled(100.0, hint_s=1_700_000_000.0)
    assert cool_down.left_s(100.0) == 3600.0


def test_a_burst_is_throttled_once() -> None:
    cool_down = CoolDown()
    for moment in (100.0, 100.1, 100.2):
        cool_down.throttled(moment)
    assert cool_down.left_s(100.2) == 101.0 - 100.2
    cool_down.throttled(101.0)
    assert cool_down.left_s(101.0) == 2.0


def test_a_success_starts_the_doubling_anew_but_ends_nothing() -> None:
    cool_down = CoolDown()
    cool_down.throttled(100.0)
    cool_down.throttled(101.0)
    cool_down.succeeded()
    assert cool_down.left_s(102.0) == 1.0
    cool_down.throttled(103.0)
    assert cool_down.left_s(103.0) == 1.0
