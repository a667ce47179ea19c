import threading

import pytest
import trio

from clawgw.engine.counting import TokenCounter
from clawgw.errors import InvalidRequest
from clawgw.policy import Target
from clawgw.routing.catalogue import Catalogue
from clawgw.tokens.prompt import LARGE, Prompt
from tests.tokens.requests import chat

GPT, CLAUDE = Target("openai", "gpt-4o"), Target("anthropic", "claude-3-haiku")
SMALL, MIDDLE, UNKNOWN = Target("p", "gpt-4-small"), Target("p", "gpt-4-middle"), Target("p", "other")
CATALOGUE = Catalogue({"p": {"gpt-4-small": {"context": 100}, "gpt-4-middle": {"context": 1000}, "other": {}}})


class Watched(Prompt):
    """Knows on which thread it was counted."""

    threads: list[threading.Thread]

    def count(self, model: str):  # type: ignore[no-untyped-def]  # noqa: ANN201  as in the class above
        self.threads.append(threading.current_thread())
        return super().count(model)


def watched(text: str) -> Watched:
    prompt = Watched(chat(text).request)
    prompt.threads = []
    return prompt


async def test_a_short_prompt_is_counted_at_once() -> None:
    prompt = watched("x" * LARGE)
    await TokenCounter().count(prompt, GPT)
    assert set(prompt.threads) == {threading.current_thread()}


async def test_a_long_prompt_is_counted_in_a_thread_and_once() -> None:
    prompt, counter = watched("x" * (LARGE + 1)), TokenCounter()
    first = await counter.count(prompt, GPT)
    assert prompt.threads[0] is not threading.current_thread()
    assert await counter.count(prompt, GPT) == first
    assert set(prompt.threads[1:]) == {threading.current_thread()}


async def test_a_prompt_that_waits_for_a_thread_can_be_cancelled(autojump_clock: trio.testing.MockClock) -> None:
    limiter = trio.CapacityLimiter(1)
    await limiter.acquire_on_behalf_of("somebody else")
    with trio.move_on_after(1) as scope:
        await TokenCounter(limiter=limiter).count(chat("x" * (LARGE + 1)), GPT)
    assert scope.cancelled_caught


async def test_usage_teaches_a_target_its_ratio() -> None:
    counter = TokenCounter()
    prompt = chat("word " * 2000)
    before = (await counter.count(prompt, CLAUDE)).tokens
    counter.learn(prompt, CLAUDE, round(before * 1.5))
    after = (await counter.count(chat("word " * 2000), CLAUDE)).tokens
    assert before * 1.2 < after < before * 1.5


async def test_nothing_is_learnt_of_an_exact_count_or_of_none() -> None:
    counter = TokenCounter()
    exact, fresh = chat("word " * 2000), chat("word " * 2000)
    before = await counter.count(exact, GPT)
    counter.learn(exact, GPT, 9000)
    counter.learn(fresh, CLAUDE, 9000)
    assert fresh.known(CLAUDE.model) is None
    assert await counter.count(chat("word " * 2000), GPT) == before
    assert await counter.count(fresh, CLAUDE) == fresh.known(CLAUDE.model)


WORDS_200 = " word" * 200


async def test_a_target_that_is_too_small_is_left_out() -> None:
    roomy = await TokenCounter().with_room(chat(WORDS_200), [SMALL, MIDDLE, UNKNOWN], CATALOGUE)
    assert roomy == [MIDDLE, UNKNOWN]


async def test_nothing_is_counted_for_a_prompt_that_fits_by_its_bytes() -> None:
    prompt = watched("x" * 100)
    assert await TokenCounter().with_room(prompt, [SMALL], CATALOGUE) == [SMALL]
    assert prompt.threads == []


async def test_a_prompt_for_which_none_is_large_enough() -> None:
    with pytest.raises(
        InvalidRequest, match=r"context length is 1000 tokens \(p/gpt-4-middle\), and the prompt is 2007"
    ):
        await TokenCounter().with_room(chat(WORDS_200 * 10), [SMALL, MIDDLE], CATALOGUE)


async def test_others_are_served_while_a_long_prompt_is_counted() -> None:
    """A megabyte is 250 pieces; were the interpreter kept for all of it, nobody else would have a turn."""
    turns = 0
    async with trio.open_nursery() as nursery:

        async def take_turns() -> None:
            nonlocal turns
            while True:
                turns += 1
                await trio.lowlevel.checkpoint()

        nursery.start_soon(take_turns)
        await TokenCounter().count(chat("word " * 200_000), GPT)
        nursery.cancel_scope.cancel()
    assert turns > 50
