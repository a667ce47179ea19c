import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.tokens.images import image_tokens
from tests.tokens.pictures import data_url, png


def tokens(model: str, width: int, height: int, detail: str = "auto") -> int:
    return image_tokens({"url": data_url(png(width, height)), "detail": detail}, model)


@pytest.mark.parametrize(
    ("width", "height", "detail", "expected"),
    # OpenAI, "Images and vision", calculating costs, GPT-4o: 85 and 170 for each tile.
    [(1024, 1024, "high", 765), (2048, 4096, "high", 1105), (4096, 8192, "low", 85), (512, 512, "auto", 255)],
)
def test_openais_tiles(width: int, height: int, detail: str, expected: int) -> None:
    assert tokens("gpt-4o", width, height, detail) == expected


@pytest.mark.parametrize(
    ("model", "width", "height", "expected"),
    [
        ("gpt-4o-mini", 512, 512, 2833 + 5667),
        ("o1", 512, 512, 75 + 150),
        ("gpt-5", 1024, 1024, 70 + 4 * 140),
        # The page's examples for patches: 1024 patches, and 1452 after scaling down; times 1.62 and 2.46.
        ("gpt-4.1-mini", 1024, 1024, 1659),
        ("gpt-4.1-mini", 1800, 2400, 2353),
        ("gpt-4.1-nano", 1800, 2400, 3572),
        # Anthropic, "Vision": a token for each 28 by 28 pixels, at most 1568, or 4784 from Opus 4.7 on.
        ("claude-sonnet-4-5", 280, 560, 200),
        ("claude-sonnet-4-5", 1092, 1092, 39 * 39),
        ("claude-sonnet-4-5", 1000, 1001, 36 * 36),
        # Google, "Understand and count tokens": 258 up to 384 by 384, then for each tile of 768.
        ("gemini-2.5-flash", 384, 384, 258),
        ("gemini-2.5-flash", 385, 100, 258),
        ("gemini-2.5-flash", 1000, 700, 2 * 258),
        ("gemini-2.5-flash", 60_000, 60_000, 16 * 258),
        # Google, "Media resolution": 1120 unless told otherwise.
        ("gemini-3-pro-preview", 64, 64, 1120),
        ("qwen/qwen3-vl", 280, 280, 100),
    ],
)
def test_the_rules_of_the_vendors(model: str, width: int, height: int, expected: int) -> None:
    assert tokens(model, width, height) == expected


def test_an_image_by_url_counts_as_1024_by_1024() -> None:
    assert image_tokens({"url": "https://x.example/a.png"}, "gpt-4o") == 765
    assert image_tokens("https://x.example/a.png", "gpt-4o") == 765
    assert image_tokens(None, "gpt-4o") == 765


MODELS = st.sampled_from(
    ["gpt-4o", "gpt-4.1-mini", "gpt-5.5", "claude-3-haiku", "claude-opus-5", "gemini-2.5-pro", "x"]
)
SIDES = st.integers(1, 2**32 - 1)


@given(MODELS, SIDES, SIDES)
def test_whatever_a_header_claims_the_cost_is_bounded(model: str, width: int, height: int) -> None:
    assert 1 <= tokens(model, width, height) <= 4784
