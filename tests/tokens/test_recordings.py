"""Counts against what providers have reported for real requests. Only requests in OpenAI's shape can be asked about."""

import statistics
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from attrs import frozen

from clawgw.tokens.media import is_media
from clawgw.tokens.prompt import Count, Prompt
from clawgw.wire.checks.parse import parse_chat_request
from tests.shared import exchanges, needs_shared

OPENAI_SHAPED = ("openai", "azure-openai", "openrouter", "groq", "mistral", "deepseek")


@frozen
class Case:
    name: str
    body: dict[str, Any]
    count: Count
    reported: int

    @property
    def error(self) -> float:
        return abs(self.count.tokens - self.reported) / self.reported


def cases(provider: str) -> Iterator[Case]:
    for exchange in exchanges("recordings", provider=provider, endpoint="chat", status=200):
        body, reported = exchange["request"]["body"], _reported(exchange["response"])
        if body and reported and not _holds_media(body):
            model = body.get("model") or "gpt-4o"
            prompt = Prompt(parse_chat_request(orjson.dumps({**body, "model": model})))
            yield Case(exchange["name"], body, prompt.count(model), reported)


def _holds_media(body: dict[str, Any]) -> bool:
    contents = [message.get("content") for message in body["messages"]]
    return any(is_media(part) for content in contents if isinstance(content, list) for part in content)


def _reported(response: dict[str, Any]) -> int | None:
    """`usage.prompt_tokens`, of a stream the last."""
    events = [line[5:].strip() for line in (response.get("raw") or "").splitlines() if line.startswith("data:")]
    bodies = [orjson.loads(event) for event in events if event[:1] == "{"] or [response.get("body")]
    usages = [body["usage"] for body in bodies if isinstance(body, dict) and body.get("usage")]
    return usages[-1].get("prompt_tokens") if usages else None


@needs_shared
@pytest.mark.parametrize("provider", ["openai", "openrouter"])
def test_what_is_called_exact_is_what_is_reported(provider: str) -> None:
    exact = [case for case in cases(provider) if case.count.kind == "exact"]
    assert exact
    assert [case.name for case in exact if abs(case.count.tokens - case.reported) > 2] == []


@needs_shared
def test_openais_tools_are_estimated_to_a_fifth_or_a_few_tokens() -> None:
    estimated = [case for case in cases("openai") if case.body.get("tools") or case.body.get("functions")]
    assert estimated
    assert [case.name for case in estimated if case.error > 0.2 and abs(case.count.tokens - case.reported) > 20] == []


@needs_shared
@pytest.mark.parametrize("provider", ["openrouter", "groq", "mistral", "deepseek"])
def test_half_of_the_estimates_are_right_to_three_tenths(provider: str) -> None:
    estimated = [case.error for case in cases(provider) if case.count.kind == "estimated"]
    assert statistics.median(estimated) < 0.3


@needs_shared
@pytest.mark.parametrize("provider", OPENAI_SHAPED)
def test_what_is_sure_is_never_more_than_what_is_reported(provider: str) -> None:
    assert [case.name for case in cases(provider) if case.count.surely > case.reported] == []
