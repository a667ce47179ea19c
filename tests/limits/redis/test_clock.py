from clawgw.limits.redis.clock import RedisClock


def test_the_quickest_answer_knows_best_and_fades() -> None:
    clock = RedisClock()
    clock.heard(1_000_000, now_s=10.0)
    assert clock.ms(12.5) == 1_002_500
    clock.heard(1_000_990, now_s=11.0)
    assert clock.ms(12.0) == 1_001_999
    clock.heard(1_003_000, now_s=12.0)
    assert clock.ms(12.0) == 1_003_000


def test_a_clock_that_was_set_back_is_believed_in_the_end() -> None:
    clock = RedisClock()
    clock.heard(10_000, now_s=0.0)
    clock.heard(1_000 * 1_000, now_s=1_000.0)
    assert clock.ms(1_000.0) == 1_000_000 + 9_000
    clock.heard(20_000 * 1_000, now_s=20_000.0)
    assert clock.ms(20_000.0) == 20_000_000
