import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.tokens.picture_size import HEADER_CHARACTERS, size_of, size_of_data_url
from tests.tokens.pictures import data_url, gif, jpeg, png, webp_extended, webp_lossless, webp_lossy

MAKERS = (png, gif, jpeg, webp_lossy, webp_lossless, webp_extended)
SIDES = st.integers(1, 16_000)


@given(st.sampled_from(MAKERS), SIDES, SIDES)
def test_the_size_stands_in_the_header(make: object, width: int, height: int) -> None:
    assert callable(make)
    assert size_of(make(width, height)) == (width, height)


def test_a_jpeg_with_a_preview_before_its_size_and_fill_bytes() -> None:
    assert size_of(jpeg(640, 480, before=30_000, fill=b"\xff\xff")) == (640, 480)


@pytest.mark.parametrize("make", MAKERS)
def test_a_header_that_is_cut_off_says_nothing(make: object) -> None:
    assert callable(make)
    whole = make(640, 480)
    assert {size_of(whole[:length]) for length in range(len(whole))} <= {None, (640, 480)}
    assert size_of(whole[:8]) is None


@pytest.mark.parametrize(
    "header",
    [png(0, 5), gif(5, 0), b"\xff\xd8\x00\x00\x00\x00", b"RIFF\x00\x00\x00\x00WEBPXXXX" + bytes(20), b"BM", b""],
)
def test_what_says_no_size(header: bytes) -> None:
    assert size_of(header) is None


STARTS = st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"GIF8", b"\xff\xd8\xff", b"RIFF\x00\x00\x00\x00WEBPVP8X"])


@given(STARTS, st.binary(max_size=80))
def test_garbage_has_a_size_or_none(start: bytes, garbage: bytes) -> None:
    size = size_of(start + garbage)
    assert size is None or min(size) >= 1


@pytest.mark.parametrize(
    ("url", "size"),
    [
        (data_url(png(3, 4)), (3, 4)),
        (data_url(png(3, 4)).replace("data:", "DATA:").replace(";base64", ";charset=x;BASE64"), (3, 4)),
        (data_url(png(3, 4) + bytes(HEADER_CHARACTERS)), (3, 4)),
        ("https://x.example/a.png", None),
        ("data:image/png,%89PNG", None),
        ("data:image/png;base64", None),
        ("data:image/png;base64,", None),
        ("data:image/png;base64,AAAA=AAA=", None),
        ("data:image/png;base64,äöüß", None),
    ],
)
def test_data_urls(url: str, size: tuple[int, int] | None) -> None:
    assert size_of_data_url(url) == size


@given(st.text(st.characters()))
def test_any_data_url_is_taken(rest: str) -> None:
    assert size_of_data_url(f"data:image/png;base64,{rest}") is None
