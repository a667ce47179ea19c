import pytest

from clawgw.wire.failure import Failure, Kind


@pytest.mark.parametrize("kind", [Kind.UNSUPPORTED, Kind.UNAVAILABLE, Kind.OVER_LIMIT, Kind.KEY_OVER_LIMIT])
def test_what_ours_alone_refused_was_never_sent(kind: Kind) -> None:
    assert not Failure(kind, "m").sent


def test_what_the_upstream_said_was_sent_unless_it_was_said_before() -> None:
    assert Failure(Kind.RATE_LIMITED, "m").sent
    assert not Failure(Kind.RATE_LIMITED, "m", held_back=True).sent
