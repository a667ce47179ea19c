import math

import pytest

from clawgw.cache.directives import Directives, directives


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], Directives()),
        (["no-cache"], Directives(read=False)),
        (["No-Store"], Directives(read=False, keep=False)),
        (["no-cache, no-store"], Directives(read=False, keep=False)),
        (["max-stale=3", "max-age = 5"], Directives()),
        (["max-age=5"], Directives(max_age_s=5)),
        (['max-age="5"'], Directives(max_age_s=5)),
        (["max-age=0"], Directives(read=False, max_age_s=0)),
        (["max-age=²"], Directives()),
        (["max-age=-1"], Directives()),
        (["max-age=" + "9" * 100], Directives()),
        (["no-transform", "no-cache"], Directives(read=False)),
        (["x-no-cache", ",,"], Directives()),
    ],
)
def test_directives(values: list[str], expected: Directives) -> None:
    headers = [(b"cache-control", value.encode("latin-1")) for value in values]
    assert directives([(b"host", b"no-cache"), *headers]) == expected


def test_without_a_bound_any_age_will_do() -> None:
    assert directives([]).max_age_s == math.inf
