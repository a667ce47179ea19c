"""What Gemini's `GenerateContentResponse` objects, one or many, say together.

`Answer` reads them in order and hands out what each adds to which choice, for a plain answer and a stream alike. A body
may also be an array of such objects: what streaming without `alt=sse` sends.
Source: https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from attrs import define, field, frozen

from clawgw.wire.codec import WireTarget
from clawgw.wire.failure import WireError
from clawgw.wire.gemini.candidate import Candidate, Delta
from clawgw.wire.gemini.errors import failure_from_error
from clawgw.wire.json_body import decode_json, get_count, get_object, get_objects, get_text, invalid
from clawgw.wire.usage import Particulars, Usage, priced_tier, usage_from_counts

Json = dict[str, Any]

MAX_CANDIDATES = 8
"""Of one request."""

_COUNTS = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")


@frozen
class Addition:
    """What one piece adds to one choice; the first of a choice adds nothing but the choice."""

    choice: int
    delta: Delta
    logprobs: Json | None = None


@frozen
class Heading:
    """What an answer says of itself in its first object, or what stands in for it."""

    id: str
    model: str
    created: int


@define
class Answer:
    """The choices so far. Raises `WireError`."""

    heading: Heading
    choices: dict[int, Candidate] = field(factory=dict, init=False)
    is_blocked: bool = field(default=False, init=False)
    usage: Usage | None = field(default=None, init=False)
    """The latest; each object counts from the start."""

    def read(self, response: Json) -> Iterator[Addition]:
        """One object."""
        self.usage = _usage(get_object(response, "usageMetadata")) or self.usage
        candidates = get_objects(response, "candidates")
        for position, piece in enumerate(candidates):
            index = get_count(piece, "index") if "index" in piece else position
            if index not in self.choices:
                self._begin(index)
                yield Addition(index, {})
            if "logprobsResult" in piece and (logprobs := _logprobs(get_object(piece, "logprobsResult"))):
                yield Addition(index, {}, logprobs)
            for delta in self.choices[index].read(piece):
                yield Addition(index, delta)
        if not candidates and (refusal := _refusal(get_object(response, "promptFeedback"))):
            self.is_blocked = True
            yield Addition(0, {"content": "", "refusal": refusal})

    @property
    def is_whole(self) -> bool:
        """Every choice has ended, and there is one."""
        return (self.is_blocked or bool(self.choices)) and all(choice.is_whole for choice in self.choices.values())

    def endings(self) -> Iterator[tuple[int, list[Json], str]]:
        """Of each choice its index, annotations and finish reason. A refused prompt has one choice."""
        if self.is_blocked and not self.choices:
            yield 0, [], "content_filter"
        for index, candidate in sorted(self.choices.items()):
            yield index, candidate.annotations, candidate.finish_reason

    def _begin(self, index: int) -> None:
        if index >= MAX_CANDIDATES:
            raise invalid(f"The upstream sent more than {MAX_CANDIDATES} candidates.")
        self.choices[index] = Candidate(f"{self.heading.id}_{index}" if index else self.heading.id)


def decode_responses(data: bytes) -> list[Json]:
    """The objects in `data`. Raises `WireError`: kind INVALID, or what an error among them says."""
    decoded = decode_json(data)
    responses = decoded if isinstance(decoded, list) else [decoded]
    if not all(isinstance(response, dict) for response in responses):
        raise invalid("The upstream's answer is not a JSON object.")
    return responses


def begin_answer(data: bytes, response: Json, target: WireTarget, now: float) -> Answer:
    """For the first object, which came in `data`. An id is made of the data and the time where none is given."""
    digest = hashlib.sha256(data + repr(now).encode()).hexdigest()[:24]
    heading = Heading(
        id=get_text(response, "responseId") or f"chatcmpl-{digest}",
        model=get_text(response, "modelVersion") or target.model,
        created=_unix_time(get_text(response, "createTime"), now),
    )
    return Answer(heading)


def raise_error(response: Json) -> None:
    """Raises the error that stands where an answer was expected, if one does."""
    if "error" in response:
        raise WireError(failure_from_error(get_object(response, "error")))


def _usage(counts: Json) -> Usage | None:
    if not any(count in counts for count in _COUNTS):
        return None
    thoughts = get_count(counts, "thoughtsTokenCount")
    return usage_from_counts(
        get_count(counts, "promptTokenCount") + get_count(counts, "toolUsePromptTokenCount"),
        get_count(counts, "candidatesTokenCount") + thoughts,
        cached=get_count(counts, "cachedContentTokenCount"),
        reasoning=thoughts,
        particulars=Particulars(
            audio_prompt=_of(counts, "promptTokensDetails", "AUDIO"),
            audio_cached=_of(counts, "cacheTokensDetails", "AUDIO"),
            audio_completion=_of(counts, "candidatesTokensDetails", "AUDIO"),
            image_completion=_of(counts, "candidatesTokensDetails", "IMAGE"),
            service_tier=priced_tier(get_text(counts, "serviceTier")),
        ),
    )


def _of(counts: Json, details: str, modality: str) -> int:
    """Google's `ModalityTokenCount`s of one modality."""
    if details not in counts:
        return 0
    return sum(
        get_count(count, "tokenCount") for count in get_objects(counts, details) if count.get("modality") == modality
    )


def _refusal(feedback: Json) -> str:
    """Why the prompt was blocked; empty where it was not."""
    reason = feedback.get("blockReason")
    if not reason:
        return ""
    return get_text(feedback, "blockReasonMessage") or f"The prompt was blocked: {reason}."


def _unix_time(text: str, now: float) -> int:
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError, OSError):
        return int(now)


def _logprobs(result: Json) -> Json | None:
    """OpenAI's `logprobs`. Google lists the chosen tokens and the likeliest ones side by side."""
    chosen = get_objects(result, "chosenCandidates")
    if not chosen:
        return None
    likeliest = [get_objects(step, "candidates") for step in get_objects(result, "topCandidates")]
    likeliest += [[]] * (len(chosen) - len(likeliest))
    content = [
        {**_token(token), "top_logprobs": [_token(other) for other in others]}
        for token, others in zip(chosen, likeliest, strict=False)
    ]
    return {"content": content, "refusal": None}


def _token(candidate: Json) -> Json:
    token = get_text(candidate, "token")
    return {"token": token, "logprob": candidate.get("logProbability", 0.0), "bytes": list(token.encode())}
