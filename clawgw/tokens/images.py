"""What an image costs in tokens, by the rules that the vendors publish; of unknown size it counts as 1024 by 1024.

- OpenAI, https://platform.openai.com/docs/guides/images-vision#calculating-costs: tiles of 512 pixels, or patches of 32
- Anthropic, https://platform.claude.com/docs/en/build-with-claude/vision: patches of 28 pixels
- Google, https://ai.google.dev/gemini-api/docs/tokens and …/media-resolution: tiles of 768 pixels, from Gemini 3 on
  one figure
- others mostly publish nothing: patches of 28 pixels, as in Qwen's and Mistral's open models
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol

from attrs import frozen

from clawgw.tokens.families import matches, plain_name
from clawgw.tokens.picture_size import Size, size_of_data_url

UNKNOWN_SIZE = (1024, 1024)


class ImageRule(Protocol):
    """One vendor's rule."""

    def tokens(self, size: Size, *, low: bool) -> int:
        """Of an image of so many pixels; `low`: asked for with `detail: low`."""


@frozen
class Tiles:
    """Fitted into 2048 by 2048, its shorter side made 768 at most, covered with squares of 512; `low`: only `base`."""

    base: int
    tile: int

    def tokens(self, size: Size, *, low: bool) -> int:
        """As above."""
        if low:
            return self.base
        width, height = _fitted(size, min(1.0, 2048 / max(size), 768 / min(size)))
        return self.base + self.tile * math.ceil(width / 512) * math.ceil(height / 512)


@frozen
class Patches:
    """Covered with squares of `pixels`, made so small before that its longer side fits and at most `most` are needed.

    Where there are too many, the side that fits worse is made a whole number of squares, as OpenAI says it.
    """

    pixels: int
    most: int
    rate: float = 1.0
    longest: int = 1_000_000

    def tokens(self, size: Size, *, low: bool) -> int:  # noqa: ARG002  a detail does not change it
        """As above, times `rate`."""
        width, height = _fitted(size, min(1.0, self.longest / max(size)))
        columns, rows = width / self.pixels, height / self.pixels
        if math.ceil(columns) * math.ceil(rows) > self.most:
            scale = min(1.0, math.sqrt(self.most / (columns * rows)))
            scale *= min(math.floor(side * scale) / (side * scale) for side in (columns, rows) if side * scale >= 1)
            columns, rows = round(columns * scale, 6), round(rows * scale, 6)
        return math.ceil(min(math.ceil(columns) * math.ceil(rows), self.most) * self.rate)


@frozen
class GoogleTiles:
    """One tile up to 384 by 384; else fitted into 3072 by 3072, and covered with squares of 768."""

    def tokens(self, size: Size, *, low: bool) -> int:  # noqa: ARG002  there is no such choice
        """258 for each."""
        if max(size) <= 384:
            return 258
        width, height = _fitted(size, min(1.0, 3072 / max(size)))
        return 258 * math.ceil(width / 768) * math.ceil(height / 768)


@frozen
class Fixed:
    """Whatever its size."""

    cost: int

    def tokens(self, size: Size, *, low: bool) -> int:  # noqa: ARG002  it is fixed
        """The cost."""
        return self.cost


_RULES: tuple[tuple[tuple[str, ...], ImageRule], ...] = (
    (("gpt-4o-mini*",), Tiles(2833, 5667)),
    (("gpt-4.1-mini*",), Patches(32, 1536, 1.62)),
    (("gpt-4.1-nano*",), Patches(32, 1536, 2.46)),
    (("gpt-5*-mini*", "gpt-5-nano*"), Patches(32, 1536, 1.62)),
    (("o4-mini*", "codex-mini*"), Patches(32, 1536, 1.72)),
    (("gpt-5", "gpt-5-*", "gpt-5.1*"), Tiles(70, 140)),
    (("o1*", "o3*"), Tiles(75, 150)),
    (("gpt-4*", "chatgpt-4o*", "gpt-3.5*"), Tiles(85, 170)),
    (("gpt-*", "o[1-9]*"), Patches(32, 2500, 1.2, longest=2048)),
    (
        ("claude-opus-4-[789]*", "claude-opus-4.[789]*", "claude-*-5*", "claude-fable*", "claude-mythos*"),
        Patches(28, 4784, longest=2576),
    ),
    (("claude*",), Patches(28, 1568, longest=1568)),
    (("gemini-[12]*", "gemma*"), GoogleTiles()),
    (("gemini*",), Fixed(1120)),
    (("*",), Patches(28, 4096)),
)


def image_tokens(image: object, model: str) -> int:
    """Of the `image_url` of a content part: a URL, or an object with `url` and `detail`."""
    url, detail = (image.get("url"), image.get("detail")) if isinstance(image, Mapping) else (image, None)
    size = size_of_data_url(url) if isinstance(url, str) else None
    return _rule(model).tokens(size or UNKNOWN_SIZE, low=detail == "low")


@lru_cache(maxsize=1024)
def _rule(model: str) -> ImageRule:
    name = plain_name(model)
    return next(rule for patterns, rule in _RULES if matches(name, patterns))


def _fitted(size: Size, scale: float) -> tuple[float, float]:
    return round(size[0] * scale, 6), round(size[1] * scale, 6)
