from typing import Any

import pytest

from clawgw.wire.failure import Kind, WireError
from clawgw.wire.gemini.media import media_part
from clawgw.wire.gemini.models import traits_of

NEW, OLD = traits_of("gemini-2.5-flash"), traits_of("gemini-2.0-flash")


@pytest.mark.parametrize(
    "url",
    [
        "https://generativelanguage.googleapis.com/v1beta/files/abc",
        "https://www.youtube.com/watch?v=abc",
        "https://youtu.be/abc",
    ],
)
def test_every_model_reads_what_google_holds(url: str) -> None:
    part = media_part({"type": "document_url", "document_url": url}, OLD)
    assert part == {"fileData": {"fileUri": url}}


def test_a_file_may_be_a_url() -> None:
    part = {"type": "file", "file": {"file_data": "https://a.example/x", "filename": "x.csv"}}
    assert media_part(part, NEW) == {"fileData": {"fileUri": "https://a.example/x", "mimeType": "text/csv"}}


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://a.example/x.png"}},
        {"type": "image_url", "image_url": {"url": "https://youtu.be.evil.example/x.png"}},
    ],
)
def test_before_2_5_no_url_is_fetched(part: dict[str, Any]) -> None:
    media_part(part, NEW)
    with pytest.raises(WireError, match="data: URL"):
        media_part(part, OLD)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "data:image/svg+xml,%3Csvg%3E"}},
        {"type": "image_url", "image_url": {"url": "data:;base64,AAAA"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "midi"}},
        {"type": "input_audio", "input_audio": "AAAA"},
        {"type": "file", "file": {"file_id": "file-abc"}},
        {"type": "file", "file": {"file_data": "AAAA", "filename": "x.unheardof"}},
        {"type": "file", "file": {"file_data": "AAAA"}},
        {"type": "hologram", "hologram": {"url": "https://a.example/x"}},
    ],
)
def test_a_part_that_gemini_cannot_take(part: dict[str, Any]) -> None:
    with pytest.raises(WireError) as caught:
        media_part(part, NEW)
    assert caught.value.failure.kind is Kind.UNSUPPORTED
    assert caught.value.failure.param == "messages"
