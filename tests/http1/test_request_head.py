"""What a request's target leads to; heads as a whole are in test_request_parser.py."""

import pytest

from clawgw.http1.request_head import origin_form, path_of


@pytest.mark.parametrize(
    ("target", "origin", "path"),
    [
        (b"/a/b?c=/d", b"/a/b?c=/d", "/a/b"),
        (b"/a%20%C3%A9", b"/a%20%C3%A9", "/a é"),
        (b"http://h:80/a?b", b"/a?b", "/a"),
        (b"HTTPS://h/a", b"/a", "/a"),
        (b"http://h", b"/", "/"),
        (b"http://h?b=/c", b"/?b=/c", "/"),
        (b"http:///a", b"/a", "/a"),
        (b"/http://h/a", b"/http://h/a", "/http://h/a"),
        (b"*", b"*", "*"),
    ],
)
def test_a_target_may_be_a_whole_url(target: bytes, origin: bytes, path: str) -> None:
    assert (origin_form(target), path_of(target)) == (origin, path)
