from itertools import accumulate

from clawgw.policies.quarantine import Quarantine


def test_a_new_policy_is_in() -> None:
    assert not Quarantine().holds(0.0)


def test_an_overrun_leaves_it_out_for_a_second() -> None:
    quarantine = Quarantine()
    quarantine.overran(100.0)
    assert [quarantine.holds(now) for now in (100.0, 100.999, 101.0)] == [True, True, False]


def test_each_further_one_doubles_that_up_to_five_minutes() -> None:
    quarantine = Quarantine()
    waits = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    for began, ended in zip(accumulate(waits, initial=0), accumulate(waits), strict=False):
        quarantine.overran(began)
        assert quarantine.holds(ended - 0.5)
        assert not quarantine.holds(ended)


def test_a_good_call_begins_anew() -> None:
    quarantine = Quarantine()
    quarantine.overran(0.0)
    quarantine.overran(1.0)
    quarantine.went_well()
    quarantine.overran(10.0)
    assert quarantine.holds(10.5)
    assert not quarantine.holds(11.0)
