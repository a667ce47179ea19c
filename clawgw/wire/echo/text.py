"""What the built-in echo says to a text completion: each prompt again, and after itself with `echo`.

Token ids are read as their digits. `suffix`, `best_of` and `logprobs` change nothing.
Source of the shapes: https://platform.openai.com/docs/api-reference/completions.
"""

from collections.abc import Iterator
from typing import Any

from clawgw.errors import InvalidRequest
from clawgw.wire.echo.tokens import MAX_TOKENS, EchoAnswer, Said, count_tokens, name_of, say, usage_of
from clawgw.wire.events import Chunk, Done, Event, UsageReport
from clawgw.wire.request import TextRequest

MAX_CHOICES = 2048


def answer_text(request: TextRequest, now: float) -> EchoAnswer:
    """The answer, `created` at `now`. Raises `InvalidRequest` where prompts times `n` is over `MAX_CHOICES`."""
    said = _choices(request.body)
    usage = usage_of(
        sum(map(count_tokens, prompt_texts(request.body["prompt"]))), sum(len(choice.tokens) for choice in said)
    )
    head = {
        "id": f"cmpl-{name_of(request.body)}",
        "object": "text_completion",
        "created": int(now),
        "model": request.model,
    }
    listed = [_choice(index, "".join(choice.tokens), choice.finish_reason) for index, choice in enumerate(said)]

    def events() -> Iterator[tuple[Event, int]]:
        for index, choice in enumerate(said):
            for token in choice.tokens:
                yield Chunk({**head, "choices": [_choice(index, token, None)]}, commits=True), 1
            yield Chunk({**head, "choices": [_choice(index, "", choice.finish_reason)]}, commits=False), 0
        yield UsageReport(usage), 0
        yield Done(), 0

    return EchoAnswer({**head, "choices": listed, "usage": usage.body}, usage, events())


def prompt_texts(prompt: str | list[Any]) -> list[str]:
    """The texts of a `prompt` or an `input`: a string, token ids, or a list of either."""
    if isinstance(prompt, str):
        return [prompt]
    if isinstance(prompt[0], int):
        return [" ".join(map(str, prompt))]
    return [text for item in prompt for text in prompt_texts(item)]


def _choices(body: dict[str, Any]) -> list[Said]:
    prompts, each = prompt_texts(body["prompt"]), body.get("n") or 1
    count = len(prompts) * each
    if count > MAX_CHOICES:
        raise InvalidRequest(f"`n` times the number of prompts must be at most {MAX_CHOICES}.", param="n")
    asked = body.get("max_tokens")
    most = MAX_TOKENS // count if asked is None else min(asked, MAX_TOKENS // count)
    said = (_said(prompt, body, most) for prompt in prompts)
    return [choice for choice in said for _ in range(each)]


def _said(prompt: str, body: dict[str, Any], most: int) -> Said:
    said = say(prompt, body.get("stop"), most)
    return Said([prompt, *said.tokens], said.finish_reason) if body.get("echo") else said


def _choice(index: int, text: str, finish_reason: str | None) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": finish_reason}
