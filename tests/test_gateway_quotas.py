"""Quota policies end to end in virtual time: whose requests are refused, and what is charged when they are over."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from clawgw.config.load import load
from clawgw.gateway import Gateway, StreamAnswer
from clawgw.limits.bucket import Kind, Scope
from clawgw.policies.functions import PolicyFunction
from clawgw.policies.runner import OnError
from clawgw.policy import Charge, RequestFacts
from clawgw.testing import load_policy
from tests.living import live
from tests.scripted_upstream import Refusal, Reply, ScriptedUpstream
from tests.test_gateway import chat, completion, error_reply
from tests.test_gateway_limits import LEAVER, Setting, config

USER_QUOTA = load_policy(Path(__file__).parents[1] / "policies" / "user_quota.py", "quota")


def setting(
    quotas: Mapping[str, PolicyFunction],
    *replies: Reply | Refusal,
    key: str = "",
    options: str = "{}",
    rest: str = "",
    on_error: OnError = lambda _name, _failure: None,
) -> Setting:
    """Quotas by their functions' names; every call is answered with the next reply, at last with the last one."""
    names = ", ".join(f'"q:{name}"' for name in quotas)
    policies = f"{rest}[policies]\nquota = [{names}]\noptions = {options}\n"
    snapshot = load(config(key, rest=policies), {"KEY_A": "a", "KEY_B": "b"}, read_file=lambda _: b"")
    coming = list(replies or [completion()])
    upstream = ScriptedUpstream(lambda _: coming.pop(0) if len(coming) > 1 else coming[0])
    rejections = list[tuple[Scope, Kind]]()
    lives = live(
        snapshot,
        upstream,
        policies={f"q:{name}": function for name, function in quotas.items()},
        on_error=on_error,
        on_rejection=lambda scope, kind: rejections.append((scope, kind)),
    )
    s = Setting(Gateway(lives, None, lambda: 0.5), upstream, rejections)  # type: ignore[arg-type] # itself, below
    s.gateway.listener = s
    return s


def charging(*charges: Charge) -> PolicyFunction:
    def quota(_request: RequestFacts, _options: Mapping[str, Any]) -> Sequence[Charge]:
        return charges

    return quota


PER_USER = "{ requests_per_user = 2, usd_per_user = 0.5 }"


async def test_each_end_user_has_a_quota_of_their_own(autojump_clock: MockClock) -> None:
    s = setting({"user": USER_QUOTA}, options=PER_USER)
    for _ in range(2):
        await s.answer(chat("two/m", user="ann"))
    refusal = await s.refused(chat("two/m", user="ann"))
    assert (refusal.status, refusal.code) == (429, "rate_limit_exceeded")
    assert refusal.message == "the limit of a quota is 2 requests per minute: it is used up, try again in 29s"
    await s.answer(chat("two/m", user="bob"))
    assert len(s.upstream.calls) == 3
    assert s.rejections == [("quota", "requests")]
    await trio.sleep(29)
    await s.answer(chat("two/m", metadata={"user_id": "ann"}))


async def test_a_users_budget_is_charged_with_what_was_really_used(autojump_clock: MockClock) -> None:
    reply = completion(prompt_tokens=100_000, completion_tokens=20_000)  # 0.1 + 0.2 USD
    s = setting({"user": USER_QUOTA}, reply, options="{ requests_per_user = 100, usd_per_user = 0.5 }")
    for _ in range(2):
        await s.answer(chat("two/m", user="ann", max_tokens=10))
    error = await s.refused(chat("two/m", user="ann", max_tokens=10))
    assert (error.code, error.status) == ("budget_exceeded", 429)
    await s.answer(chat("two/m", user="bob", max_tokens=10))


async def test_a_budget_of_nothing_lets_nothing_through(autojump_clock: MockClock) -> None:
    s = setting({"user": USER_QUOTA}, options="{ requests_per_user = 2, usd_per_user = 0 }")
    assert (await s.refused(chat("two/m", user="ann"))).code == "budget_exceeded"
    assert s.upstream.calls == []


async def test_what_counts_for_several_requests_takes_as_many(autojump_clock: MockClock) -> None:
    heavy = Charge("heavy", requests_per_minute=5, tokens_per_minute=6000, requests=3)
    s = setting({"heavy": charging(heavy)})
    answer = await s.answer(chat("one/m"))
    assert answer.headers["x-ratelimit-remaining-requests"] == "2"
    assert s.used("quota", "heavy", "tokens", 6000) == 0  # 9 were used, and half a second has given back 50
    assert (await s.refused(chat("one/m"))).retry_after_s == pytest.approx(60 / 5 - 0.5)


async def test_one_bucket_that_two_quotas_name_is_charged_by_both(autojump_clock: MockClock) -> None:
    shared = Charge("shared", requests_per_minute=10)
    s = setting({"a": charging(shared), "b": charging(shared, Charge("other", requests_per_minute=10))})
    answer = await s.answer(chat("one/m"))
    assert answer.headers["x-ratelimit-remaining-requests"] == "8"


async def test_a_place_is_free_again_when_the_request_is_over(autojump_clock: MockClock) -> None:
    s = setting({"one": charging(Charge("one", concurrent=1))}, Reply(body=LEAVER))
    answer = await s.answer(chat("one/m", stream=True))
    assert "the limit of a quota is 1 requests at once" in (await s.refused(chat("one/m"))).message
    assert isinstance(answer, StreamAnswer)
    answer.close()
    assert s.used("quota", "one", "concurrent", 1) == 0


async def test_a_quota_that_refuses_takes_nothing_from_the_key(autojump_clock: MockClock) -> None:
    s = setting({"one": charging(Charge("one", requests_per_minute=1))}, key="limits = { requests_per_minute = 60 }")
    await s.answer(chat("one/m"))
    await trio.sleep(0.5)
    await s.refused(chat("one/m"))
    assert s.used("key", "alice", "requests", 60) == 0


async def test_what_was_never_sent_is_not_charged(autojump_clock: MockClock) -> None:
    everybody = charging(Charge("all", requests_per_minute=5))
    s = setting({"all": everybody}, error_reply(500), rest="[breaker]\nconsecutive_failures = 1\n")
    await s.refused(chat("one/m"))
    calls = len(s.upstream.calls)
    assert (await s.refused(chat("one/m"))).code == "no_healthy_target"
    assert len(s.upstream.calls) == calls
    assert s.used("quota", "all", "requests", 5) == 1


async def test_a_quota_is_told_of_the_request(autojump_clock: MockClock) -> None:
    seen = list[tuple[RequestFacts, Mapping[str, Any]]]()

    def quota(request: RequestFacts, options: Mapping[str, Any]) -> Sequence[Charge]:
        seen.append((request, options))
        return []

    s = setting({"spy": quota}, options="{ size = 7 }")
    await s.answer(chat("both", user="ann", metadata={"tier": "gold"}), "bob")
    ((facts, options),) = seen
    assert (facts.model, facts.user, facts.key) == ("both", "ann", "bob")
    assert (facts.labels, facts.metadata) == ({"team": "search"}, {"tier": "gold"})
    assert options == {"size": 7}


async def test_one_that_fails_charges_nothing_and_the_request_is_served(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: RequestFacts, _options: Mapping[str, Any]) -> Sequence[Charge]:
        raise ValueError(request.user)

    errors = list[tuple[str, str]]()
    small = charging(Charge("small", requests_per_minute=1))
    with caplog.at_level(logging.WARNING):
        quotas: Mapping[str, PolicyFunction] = {"broken": broken, "lost": lambda *_: None, "small": small}
        s = setting(quotas, on_error=lambda name, failure: errors.append((name, failure.kind)))
        await s.answer(chat("one/m", user="a-secret-user"))
        await s.refused(chat("one/m", user="a-secret-user"))
    assert errors == [("q:broken", "raised"), ("q:lost", "rubbish")] * 2
    assert len(caplog.messages) == 2
    assert all("nothing is charged" in line and "a-secret-user" not in line for line in caplog.messages)
