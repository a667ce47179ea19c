"""Prompts and context windows through the whole gateway. " a" is one token in OpenAI's vocabularies."""

from trio.testing import MockClock

from clawgw.config.load import load
from clawgw.gateway import Gateway
from clawgw.policy import Target
from clawgw.wire.request import Request
from tests.living import live
from tests.scripted_upstream import Reply, ScriptedUpstream
from tests.test_gateway import END, ROLE, Ear, Setting, chat, chunk, completion, error_of, plain, stream
from tests.tokens.requests import chat as prompt_of

# gpt-4 takes 8192 tokens, gpt-4-32k and moonshot's largest more.
CONFIG = """
[providers.openai]
base_url = "https://openai.example/v1"
[providers.moonshot]
base_url = "https://moonshot.example/v1"
[routes.growing]
targets = ["openai/gpt-4", "openai/gpt-4-32k"]
[routes.drawn]
targets = ["openai/gpt-4", "openai/gpt-4-32k", "openai/gpt-4-turbo"]
strategy = "weighted"
weights = [1, 0, 1]
[routes.small]
targets = ["moonshot/moonshot-v1-8k", "openai/gpt-4"]
"""
KEYS = {"OPENAI_API_KEY": "sk-a", "MOONSHOT_API_KEY": "sk-b"}
KIMI = Target("moonshot", "moonshot-v1-8k")


def setting(reply: Reply | None = None) -> Setting:
    upstream, ear = ScriptedUpstream(lambda _call: reply or completion()), Ear()
    snapshot = load(CONFIG, KEYS, read_file=lambda _: b"")
    return Setting(Gateway(live(snapshot, upstream), ear, lambda: 0.5), upstream, ear)


def said(model: str, tokens: int, **more: object) -> Request:
    return chat(model, messages=[{"role": "user", "content": " a" * tokens}], **more)


def asked(s: Setting) -> list[str]:
    return [target for target, *_ in s.attempts()]


async def test_a_target_that_is_too_small_is_never_asked(autojump_clock: MockClock) -> None:
    s = setting()
    await plain(s, said("growing", 9000))
    assert asked(s) == ["openai/gpt-4-32k"]
    assert len(s.upstream.calls) == 1


async def test_one_that_is_large_enough_is_asked_in_its_turn(autojump_clock: MockClock) -> None:
    s = setting()
    await plain(s, said("growing", 8000))
    assert asked(s) == ["openai/gpt-4"]


async def test_a_prompt_too_long_for_all_is_refused_before_any_call(autojump_clock: MockClock) -> None:
    s = setting()
    error = await error_of(s, said("openai/gpt-4", 9000))
    assert (error.status, error.code, error.param) == (400, "context_length_exceeded", "messages")
    assert "maximum context length is 8192 tokens (openai/gpt-4), and the prompt is 9007 tokens" in error.message
    assert s.upstream.calls == []
    assert (s.record.outcome, s.record.status, s.record.attempts) == ("error", 400, ())


async def test_an_estimate_that_may_be_wrong_refuses_nothing(autojump_clock: MockClock) -> None:
    s = setting()
    await plain(s, said("small", 9000))
    assert asked(s) == ["moonshot/moonshot-v1-8k"]


async def test_usage_teaches_what_the_next_estimate_is(autojump_clock: MockClock) -> None:
    prompt = " a" * 9000
    for reply, streaming in (
        (completion(usage={"prompt_tokens": 4500, "completion_tokens": 2}), False),
        (Reply(body=[ROLE, chunk({"content": "hi"}), *END]), True),
    ):
        s = setting(reply)
        tokens = s.gateway.live.tokens
        before = (await tokens.count(prompt_of(prompt), KIMI)).tokens
        await (stream if streaming else plain)(s, said("small", 9000, stream=streaming))
        assert (await tokens.count(prompt_of(prompt), KIMI)).tokens < 0.7 * before


async def test_weights_stay_with_their_targets_where_one_is_too_small(autojump_clock: MockClock) -> None:
    s = setting()
    await plain(s, said("drawn", 9000))
    assert asked(s) == ["openai/gpt-4-turbo"]
