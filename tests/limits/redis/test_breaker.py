from clawgw.limits.redis.breaker import FAILURES, Breaker


def test_failures_count_only_in_a_row() -> None:
    breaker = Breaker()
    for _ in range(3):
        breaker.answered()
        for _ in range(FAILURES - 1):
            breaker.failed("Timeout")
            assert breaker.degraded is None
    breaker.failed("Timeout")
    assert breaker.degraded == "Timeout"


def test_it_says_why_at_present() -> None:
    breaker = Breaker()
    breaker.failed("ConnectionRefusedError")
    breaker.failed("AuthenticationError")
    assert breaker.degraded == "AuthenticationError"
