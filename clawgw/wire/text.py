"""Text completions through chat, for providers that have no such endpoint: the prompt is a user's message.

Both ways are pure. What chat cannot do (several prompts, token ids, `suffix`, `echo`, `best_of`, `logprobs` as a count)
is a `WireError` of kind UNSUPPORTED, so that a target with an endpoint of its own may still be tried. An absent
`max_tokens` stays absent; the 16 of OpenAI's own endpoint is not put in its place.

Source: https://platform.openai.com/docs/api-reference/completions.
"""

from collections.abc import Iterable
from typing import Any

from clawgw.wire.codec import Completion
from clawgw.wire.events import Chunk, Event, unfold
from clawgw.wire.failure import Failure, Kind, WireError
from clawgw.wire.json_body import get_count, get_object, get_objects, get_text
from clawgw.wire.request import ChatRequest, TextRequest

_SHARED = (
    "model",
    "stream",
    "stream_options",
    "max_tokens",
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "n",
    "seed",
    "stop",
    "logit_bias",
    "user",
    "metadata",
)
"""The fields that are the same in both. No others go on, because no check has seen them as chat."""

_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "suffix": (None, ""),
    "echo": (None, False),
    "best_of": (None, 0, 1),
    "logprobs": (None,),
}
"""Fields that chat lacks, and the values at which they ask for nothing."""


def chat_from_text(request: TextRequest) -> ChatRequest:
    """The chat request that asks for the same. Raises `WireError` of kind UNSUPPORTED, with `param`."""
    for name, values in _NEUTRAL.items():
        if request.body.get(name) not in values:
            raise _unsupported(name, f"`{name}`")
    if request.body.get("max_tokens") == 0:
        raise _unsupported("max_tokens", "`max_tokens` 0")
    body = {name: request.body[name] for name in _SHARED if name in request.body}
    body["messages"] = [{"role": "user", "content": _only_prompt(request.body["prompt"])}]
    return ChatRequest(body, request.model, request.stream, request.include_usage)


def text_from_completion(completion: Completion) -> Completion:
    """A `chat.completion` as a `text_completion`: same id, model, usage; reasoning is left out."""
    choices = _text_choices(completion.body, "message")
    body = {**completion.body, "object": "text_completion", "choices": choices}
    return Completion(body, completion.usage, completion.finish_reason)


def text_from_events(events: Iterable[Event]) -> list[Event]:
    """A chat stream's events as a text completion's. A chunk without text goes, unless it finishes a choice."""
    texts = (_text_chunk(event) if isinstance(event, Chunk) else event for event in unfold(events))
    return [event for event in texts if event is not None]


def _text_chunk(chunk: Chunk) -> Chunk | None:
    choices = [choice for choice in _text_choices(chunk.body, "delta") if choice["text"] or choice["finish_reason"]]
    if not choices:
        return None
    body = {**chunk.body, "object": "text_completion", "choices": choices}
    return Chunk(body, commits=any(choice["text"] for choice in choices))


def _text_choices(body: dict[str, Any], message: str) -> list[dict[str, Any]]:
    """The choices of a chat answer or chunk as text; `message` names the member that holds what was said."""
    return [
        {
            "text": _said(get_object(choice, message)),
            "index": get_count(choice, "index"),
            "logprobs": None,
            "finish_reason": choice.get("finish_reason"),
        }
        for choice in get_objects(body, "choices")
    ]


def _said(message: dict[str, Any]) -> str:
    """A refusal counts as text, for there is no other place to say it."""
    return get_text(message, "content") or get_text(message, "refusal")


def _only_prompt(prompt: Any) -> str:
    match prompt:
        case str(text) | [str(text)]:
            return text
        case [str(), *_]:
            raise _unsupported("prompt", "more than one prompt")
    raise _unsupported("prompt", "a prompt of token ids")


def _unsupported(param: str, what: str) -> WireError:
    message = f"The provider has no text completions, and {what} cannot be asked through chat."
    return WireError(Failure(Kind.UNSUPPORTED, message, param=param))
