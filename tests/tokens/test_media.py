from typing import Any

import pytest

from clawgw.tokens.media import is_media, media_tokens

SECOND_OF_WAV = "A" * (32_000 * 4 // 3)


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        ({"type": "image_url", "image_url": "https://x.example/a.png"}, 765),
        ({"type": "input_audio", "input_audio": {"data": SECOND_OF_WAV, "format": "wav"}}, 32),
        ({"type": "input_audio", "input_audio": {"data": "A" * 32_000, "format": "mp3"}}, 1 + 24_000 * 32 // 8_000),
        ({"type": "input_audio", "input_audio": "A" * 32_000}, 1 + 24_000 * 32 // 8_000),
        ({"type": "input_audio", "input_audio": {"data": None, "format": None}}, 1),
        ({"type": "file", "file": {"file_id": "file-1"}}, 2000),
        ({"type": "document_url", "document_url": "https://x.example/a.pdf"}, 2000),
        ({"type": "document_url", "document_url": {"url": "https://x.example/a.pdf"}}, 2000),
        ({"type": "file", "file": {"file_data": "data:application/pdf;base64," + "A" * 100}}, 258),
        ({"type": "file", "file": {"file_data": "A" * 160_000}}, 10_000),
        ({"type": "file", "file": {"file_data": "data:text/plain;base64," + "A" * 16_000}}, 3004),
        ({"type": "video_url", "video_url": "https://x.example/a.mp4"}, 15_780),
    ],
)
def test_media(part: dict[str, Any], tokens: int) -> None:
    assert is_media(part)
    assert media_tokens(part, "gpt-4o") == tokens


@pytest.mark.parametrize("part", ["text", {"type": "text", "text": "hi"}, {"type": "thinking"}, {}, None])
def test_no_media(part: object) -> None:
    assert not is_media(part)
    assert media_tokens(part, "gpt-4o") == 0
