from typing import Any

import pytest

from clawgw.wire.anthropic.parts import blocks_of, compact, content_blocks, text_block
from clawgw.wire.failure import Kind, WireError


def image(url: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": url}


def file(data: str) -> dict[str, Any]:
    return {"type": "file", "file": {"file_data": data}}


@pytest.mark.parametrize(
    "part",
    [
        image({"url": "data:image/bmp;base64,Qk0="}),
        image({"url": "data:image/png,raw"}),
        image({"url": "file:///etc/passwd"}),
        file("data:application/zip;base64,UEs="),
        file("data:text/plain;base64,/w=="),
        file("data:text/plain;base64,*"),
        file("plain"),
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        {"no": "type"},
    ],
)
def test_what_anthropic_cannot_take_is_refused(part: dict[str, Any]) -> None:
    with pytest.raises(WireError) as caught:
        content_blocks([part])
    assert caught.value.failure.kind is Kind.UNSUPPORTED
    assert caught.value.failure.param == "messages"


def test_an_image_may_be_a_bare_url_or_a_file() -> None:
    png = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0K"}}
    assert content_blocks([image("https://example.com/a.png")]) == [
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    ]
    assert content_blocks([{**file("data:image/png;base64,iVBORw0K")}]) == [png]


def test_a_document_by_url() -> None:
    part = {"type": "document_url", "document_url": "https://example.com/a.pdf"}
    assert content_blocks([part]) == [
        {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}
    ]


def test_a_data_url_without_a_type_is_text() -> None:
    (block,) = content_blocks([file("data:;base64,aGk=")])
    assert block["source"] == {"type": "text", "media_type": "text/plain", "data": "hi"}


def test_a_part_of_anthropics_own_passes_unchanged() -> None:
    found = {"type": "search_result", "source": "https://example.com", "title": "t", "content": []}
    assert content_blocks([found]) == [found]


def test_empty_text_is_left_out() -> None:
    assert content_blocks("") == content_blocks(None) == content_blocks([{"type": "text", "text": ""}]) == []


def test_a_refusal_is_text() -> None:
    assert content_blocks([{"type": "refusal", "refusal": "No."}]) == [text_block("No.")]


def test_a_mark_on_a_part_stays_on_its_block() -> None:
    mark = {"type": "ephemeral"}
    assert content_blocks([{"type": "text", "text": "a", "cache_control": mark}]) == [
        {"type": "text", "text": "a", "cache_control": mark}
    ]


def test_a_mark_on_a_message_goes_on_its_last_block() -> None:
    mark = {"type": "ephemeral"}
    message = {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "cache_control": mark}
    assert blocks_of(message) == [text_block("a"), {"type": "text", "text": "b", "cache_control": mark}]


def test_only_a_lone_bare_text_is_a_string() -> None:
    marked = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
    assert compact([text_block("a")]) == "a"
    assert compact([marked]) == [marked]
    assert compact([text_block("a"), text_block("b")]) == [text_block("a"), text_block("b")]


def test_text_of_nothing_but_space_is_left_out_as_the_api_refuses_it() -> None:
    assert content_blocks(" \n") == content_blocks([{"type": "text", "text": "\n\n"}]) == []
    assert content_blocks(" a\n") == [text_block(" a\n")]
