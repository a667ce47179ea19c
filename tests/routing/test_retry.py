import pytest

from clawgw.config.tables.attempts import Retry
from clawgw.routing.retry import RULES, backoff_s
from clawgw.wire.failure import Failure, Kind

FINAL = {Kind.BAD_REQUEST, Kind.CONTEXT_LENGTH, Kind.CONTENT_POLICY, Kind.LOOP}


def test_every_kind_has_a_rule_and_only_the_requests_own_faults_are_final() -> None:
    assert set(RULES) == set(Kind)
    assert {kind for kind, rule in RULES.items() if rule.final} == FINAL


@pytest.mark.parametrize(
    ("kind", "nth", "random", "hint", "expected"),
    [
        (Kind.SERVER, 0, 0.5, None, 0.025),
        (Kind.SERVER, 1, 0.5, None, 0.05),
        (Kind.SERVER, 10, 0.5, None, 1.0),
        (Kind.SERVER, 0, 0.5, 0.01, 0.025),
        (Kind.SERVER, 0, 0.5, 7.0, 7.0),
        (Kind.RATE_LIMITED, 0, 0.5, None, 0.5),
        (Kind.RATE_LIMITED, 5, 0.5, None, 1.0),
        (Kind.RATE_LIMITED, 0, 0.0, 1.0, 1.0),
    ],
)
def test_backoff_is_full_jitter_and_never_shorter_than_the_hint(
    kind: Kind, nth: int, random: float, hint: float | None, expected: float
) -> None:
    failure = Failure(kind, "", retry_after_s=hint)
    assert backoff_s(failure, nth, Retry(base_s=0.05, cap_s=2.0), random) == pytest.approx(expected)
