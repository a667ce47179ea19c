"""What a Gemini answer cites, as OpenAI's `url_citation` annotations.

Grounding names sources and which stretch of text rests on which; recitations name their source themselves. Both count
in bytes of UTF-8 from the start of the text, OpenAI in characters, so the text is kept, up to a cap, until its end.
Source: https://ai.google.dev/api/generate-content#GroundingMetadata, …#CitationMetadata.
"""

from collections.abc import Iterator
from typing import Any

from attrs import define, field

from clawgw.wire.json_body import get_count, get_object, get_objects, get_text

_MAX_TEXT_BYTES = 512 * 1024
_MAX_CITATIONS = 200
_MAX_URL_CHARACTERS = 8192
_MAX_TITLE_CHARACTERS = 1000
_CITING = ("groundingMetadata", "citationMetadata")
_SOURCES = ("web", "retrievedContext", "maps")


@define
class Citations:
    """Of one candidate. A source without a URL is left out, and one stretch is cited once per URL."""

    _text: bytearray = field(factory=bytearray, init=False)
    _found: dict[tuple[int, int, str], str] = field(factory=dict, init=False)
    """Titles by start, end and URL."""

    def add_text(self, text: str) -> None:
        """The next of the answer's text."""
        if len(self._text) < _MAX_TEXT_BYTES:
            self._text += text.encode()[:_MAX_TEXT_BYTES]

    def add(self, candidate: dict[str, Any]) -> None:
        """What one piece of the candidate cites."""
        if candidate.keys().isdisjoint(_CITING):
            return
        for segment, source in (*_grounded(candidate), *_recited(candidate)):
            url = get_text(source, "uri")
            if url and len(url) <= _MAX_URL_CHARACTERS and len(self._found) < _MAX_CITATIONS:
                stretch = (get_count(segment, "startIndex"), get_count(segment, "endIndex"), url)
                self._found[stretch] = (get_text(source, "title") or url)[:_MAX_TITLE_CHARACTERS]

    def annotations(self) -> list[dict[str, Any]]:
        """All of them, in characters of the text."""
        return [
            {
                "type": "url_citation",
                "url_citation": {
                    "start_index": self._characters(start),
                    "end_index": self._characters(end),
                    "url": url,
                    "title": title,
                },
            }
            for (start, end, url), title in self._found.items()
        ]

    def _characters(self, offset: int) -> int:
        return len(self._text[:offset].decode(errors="ignore"))


def _grounded(candidate: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each supported segment with each of its sources."""
    grounding = get_object(candidate, "groundingMetadata")
    chunks = get_objects(grounding, "groundingChunks")
    for support in get_objects(grounding, "groundingSupports"):
        indices = support.get("groundingChunkIndices")
        for index in indices if isinstance(indices, list) else ():
            if isinstance(index, int) and 0 <= index < len(chunks):
                source = next((found for kind in _SOURCES if (found := get_object(chunks[index], kind))), {})
                yield get_object(support, "segment"), source


def _recited(candidate: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Google's name of the list differs between its two APIs."""
    recited = get_object(candidate, "citationMetadata")
    for source in (*get_objects(recited, "citationSources"), *get_objects(recited, "citations")):
        yield source, source
