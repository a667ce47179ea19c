"""One candidate of a Gemini answer, read piece by piece into the deltas of an OpenAI message.

Plain answers and streams have the same pieces, so both go through here: `read` hands out what a piece adds to the
message, and what is known only at the end is asked for there. Text parts are content, thoughts are
reasoning, a function call is a whole tool call, inline images go to `images`. Thought signatures and the parts of
Google's own tools, which the next turn has to bring back, go to `extra_content.google`.
Source: https://ai.google.dev/api/generate-content#v1beta.Candidate.
"""

import re
from collections.abc import Iterator
from typing import Any

import orjson
from attrs import define, field

from clawgw.wire.failure import Failure, Kind, WireError
from clawgw.wire.gemini.citations import Citations
from clawgw.wire.gemini.contents import SERVER_PARTS
from clawgw.wire.gemini.partial_call import PartialCall
from clawgw.wire.json_body import get_object, get_objects, get_text

Delta = dict[str, Any]

_REASONS = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    **dict.fromkeys(
        ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"), "content_filter"
    ),
    **dict.fromkeys(("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "IMAGE_OTHER"), "content_filter"),
}
"""`finish_reason` by `finishReason`. A reason that is neither here nor among the failed is new, and ends as `stop`."""

_FAILED: frozenset[str | None] = frozenset(
    (
        *("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE"),
        *("MALFORMED_RESPONSE", "LANGUAGE", "OTHER", "NO_IMAGE", "ESCALATION", "PUP_LIMITED_DISABLED"),
    )
)
"""Reasons that leave no answer: the upstream's failure, not an end."""

_NUMBERS = (
    *("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "LANGUAGE", "BLOCKLIST"),
    *("PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL", "IMAGE_SAFETY", "UNEXPECTED_TOOL_CALL"),
)
"""`finishReason` by its number, for answers whose enums are numbers (google/ai/generativelanguage/v1beta)."""

_MAX_MESSAGE = 1000
_IMAGE = re.compile(r"image/[\w.+-]+", re.ASCII)


@define
class Candidate:
    """One choice, from its first piece to its last. Raises `WireError` of kind INVALID or TOO_LARGE."""

    id: str
    """For the ids of its calls, where Google gives none."""
    calls: int = field(default=0, init=False)
    reason: str | None = field(default=None, init=False)
    """Google's, so far: some models repeat one with every piece."""
    is_empty: bool = field(default=True, init=False)
    """Nothing has been said yet."""
    _call: PartialCall | None = field(default=None, init=False)
    _citations: Citations = field(factory=Citations, init=False)

    def read(self, piece: dict[str, Any]) -> Iterator[Delta]:
        """The deltas of one `candidates[]` entry."""
        for part in get_objects(get_object(piece, "content"), "parts"):
            if delta := self._delta(part):
                self.is_empty = False
                yield delta
        self._citations.add(piece)
        self._end(piece)

    @property
    def is_whole(self) -> bool:
        """It has ended, and no call is still open."""
        return self.reason is not None and self._call is None

    def end_of_body(self) -> None:
        """The whole answer is here: one with content has ended, if it does not say so."""
        if self.reason is None and not self.is_empty:
            self.reason = "STOP"

    @property
    def finish_reason(self) -> str:
        """OpenAI's."""
        reason = _REASONS.get(self.reason or "", "stop")
        return "tool_calls" if self.calls and reason == "stop" else reason

    @property
    def annotations(self) -> list[dict[str, Any]]:
        """What the answer cites."""
        return self._citations.annotations()

    def _end(self, piece: dict[str, Any]) -> None:
        reason = piece.get("finishReason")
        if isinstance(reason, int):
            reason = _NUMBERS[reason] if 0 <= reason < len(_NUMBERS) else str(reason)
        if isinstance(reason, str) and reason not in ("", _NUMBERS[0]):
            self.reason = reason
        if self.reason in _FAILED:
            message = get_text(piece, "finishMessage") or "no more is said."
            text = f"The upstream ended its answer with {self.reason}: {message}"
            raise WireError(Failure(Kind.INVALID, text[:_MAX_MESSAGE], code=str(self.reason).lower()))

    def _delta(self, part: dict[str, Any]) -> Delta:
        signature = get_text(part, "thoughtSignature")
        if "functionCall" in part:
            return self._called(part)
        if not part.keys().isdisjoint(SERVER_PARTS):
            return _google({"parts": [part]})
        text, image = get_text(part, "text"), get_object(part, "inlineData")
        if part.get("thought") is True:
            return {"reasoning_content": text} if text else {}
        self._citations.add_text(text)
        delta: Delta = {"content": text} if text else {}
        if _IMAGE.fullmatch(mime_type := get_text(image, "mimeType")):
            url = f"data:{mime_type};base64,{get_text(image, 'data')}"
            delta["images"] = [{"type": "image_url", "image_url": {"url": url}}]
        return {**delta, **(_google({"thought_signature": signature}) if signature else {})}

    def _called(self, part: dict[str, Any]) -> Delta:
        call = get_object(part, "functionCall")
        if self._call is None and (call.get("willContinue") or "partialArgs" in call):
            self._call = PartialCall({**part, "functionCall": call})
        if self._call is None:
            return self._tool_call(part) if get_text(call, "name") else {}
        self._call.add(call)
        if call.get("willContinue"):
            return {}
        part, self._call = self._call.whole(), None
        return self._tool_call(part)

    def _tool_call(self, part: dict[str, Any]) -> Delta:
        call = get_object(part, "functionCall")
        tool_call: dict[str, Any] = {
            "index": self.calls,
            "id": get_text(call, "id") or f"call_{self.id}_{self.calls}",
            "type": "function",
            "function": {"name": get_text(call, "name"), "arguments": orjson.dumps(get_object(call, "args")).decode()},
        }
        if signature := get_text(part, "thoughtSignature"):
            tool_call |= _google({"thought_signature": signature})
        self.calls += 1
        return {"tool_calls": [tool_call]}


def _google(content: dict[str, Any]) -> Delta:
    return {"extra_content": {"google": content}}
