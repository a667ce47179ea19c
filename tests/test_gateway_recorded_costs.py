"""Recorded streams that lost a race or that their client left, billed by the whole gateway as on paper.

The prices are those of `tests/ledger/test_recorded_costs.py`, where their source is. USD per million tokens times
tokens are millionths of a dollar.
"""

from collections.abc import Sequence
from decimal import Decimal

import orjson
import pytest
import trio
from trio.testing import MockClock

from clawgw.config.load import load
from clawgw.gateway import Gateway, StreamAnswer
from tests.living import live
from tests.scripted_upstream import Reply, ScriptedUpstream
from tests.shared import SHARED, needs_shared
from tests.test_gateway import Ear, Setting, arrival, chat, stream

pytestmark = needs_shared

D = Decimal
PICO = 10**6
"""Pico-dollars in a millionth of a dollar."""
CONFIG = """
[routes.hedged]
strategy = "hedge"
hedge_after = 0.1
targets = ["anthropic/claude-sonnet-4-5-20250929", "openai/gpt-4.1"]
[routes.raced]
strategy = "race"
targets = ["anthropic/claude-sonnet-4-5-20250929", "openai/gpt-4.1"]
"""
KEYS = {"ANTHROPIC_API_KEY": "a", "OPENAI_API_KEY": "b"}

# claude-sonnet-4-5: in 3.00, cache write (5 min) 3.75, cache read 0.30, out 15.00. Its first event counts 13 tokens,
# 236 written, 2222 read, and one of the answer.
CLAUDE = "anthropic/btjs-flue-instrumentation-flue-v0-8-0-1"
CLAUDE_PROMPT = 13 * D("3.00") + 236 * D("3.75") + 2222 * D("0.30")
CLAUDE_BEGUN = CLAUDE_PROMPT + 1 * D("15.00")
CLAUDE_WHOLE = CLAUDE_PROMPT + 158 * D("15.00")
# gpt-4.1: in 2.00, cached 0.50, out 8.00. 1144 in the prompt, 1024 of them cached.
GPT = "openai/crewai-openai-streaming-cached-prompt-tokens"
GPT_WHOLE = 120 * D("2.00") + 1024 * D("0.50") + 2 * D("8.00")


def recorded(name: str) -> bytes:
    raw = orjson.loads((SHARED / "recordings" / f"{name}.json").read_bytes())["response"]["raw"]
    return str(raw).encode()


def cut(name: str, at: bytes) -> Sequence[bytes | float]:
    """A recorded stream that says nothing more for an hour from there on."""
    before, mark, rest = recorded(name).partition(at)
    return [before, 3600.0, mark + rest]


def setting(claude: Sequence[bytes | float]) -> Setting:
    replies = {"api.anthropic.com": Reply(body=claude), "api.openai.com": Reply(body=[recorded(GPT)])}
    upstream, ear = ScriptedUpstream(lambda call: replies[call.url.split("/")[2]]), Ear()
    snapshot = load(CONFIG, KEYS, read_file=lambda _: b"")
    return Setting(Gateway(live(snapshot, upstream), ear, lambda: 0.5), upstream, ear)


def costs(s: Setting) -> list[tuple[str, str, Decimal]]:
    """Of each attempt, in millionths of a dollar."""
    return [(a.target.provider, a.outcome, D(a.cost_pico or 0) / PICO) for a in s.record.attempts]


@pytest.mark.parametrize("route", ["hedged", "raced"])
async def test_what_lost_is_billed_as_far_as_it_had_come(autojump_clock: MockClock, route: str) -> None:
    s = setting(cut(CLAUDE, b"event: content_block_start"))
    await stream(s, chat(route, stream=True))
    assert costs(s) == [("anthropic", "cancelled", CLAUDE_BEGUN), ("openai", "won", GPT_WHOLE)]
    assert D(s.record.cost_pico or 0) / PICO == CLAUDE_BEGUN + GPT_WHOLE == D("2373.6")


async def test_what_was_never_needed_is_not_billed(autojump_clock: MockClock) -> None:
    s = setting([recorded(CLAUDE)])
    await stream(s, chat("hedged", stream=True))
    assert costs(s) == [("anthropic", "won", CLAUDE_WHOLE)]
    assert D("3960.6") == CLAUDE_WHOLE


async def test_what_a_client_leaves_is_billed_as_far_as_it_had_come(autojump_clock: MockClock) -> None:
    s = setting(cut(CLAUDE, b"event: content_block_stop"))
    answer = await s.gateway.answer(chat("anthropic/claude-sonnet-4-5-20250929", stream=True), arrival(s))
    assert isinstance(answer, StreamAnswer)
    with trio.move_on_after(10):
        while await answer.receive():
            pass
    answer.close()
    # After the first event's one token it has thought 4 + 87 + 101 characters aloud, a token for every four of them.
    assert costs(s) == [("anthropic", "won", CLAUDE_BEGUN + 48 * D("15.00"))]
    assert (s.record.outcome, s.record.usage_source, s.record.completion_tokens) == ("cancelled", "estimated", 49)
