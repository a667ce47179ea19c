from clawgw.limits.bucket import Bucket
from clawgw.limits.redis import seen
from clawgw.limits.redis.keys import rule


def test_the_buckets_that_were_asked_for_first_are_forgotten_first() -> None:
    buckets = [Bucket("quota", str(number), "requests", 10) for number in range(seen.KEPT + 1)]
    levels = seen.Seen()
    for bucket in buckets[:-1]:
        levels.note([rule(bucket).key], [(60_000, 0)])
    levels.note([rule(buckets[0]).key], [(120_000, 0)])
    levels.note([rule(buckets[-1]).key], [(60_000, 0)])
    assert levels.standing(buckets[1], 0) is None
    again = levels.standing(buckets[0], 0)
    assert again is not None
    assert again.remaining == 8
