"""Strategies, policies, breakers and cool-downs through the whole gateway, in virtual time."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
import trio
from trio.testing import MockClock

from clawgw.config.load import load
from clawgw.engine.upstream import Call
from clawgw.gateway import Gateway
from clawgw.policies.functions import PolicyFunction
from clawgw.policy import AtOnce, OnFailure, Plan, PlannedAttempt, Target, in_turn
from clawgw.wire.failure import Failure, Kind
from tests.living import live
from tests.scripted_upstream import SILENT, Refusal, Reply, ScriptedUpstream, refused
from tests.test_gateway import (
    END,
    ROLE,
    Ear,
    Setting,
    arrival,
    chat,
    chunk,
    completion,
    error_of,
    error_reply,
    plain,
    stream,
)

PROVIDERS = """
[providers.one]
wire = "openai"
base_url = "https://one.example/v1"
[providers.two]
wire = "openai"
base_url = "https://two.example/v1"
[providers.three]
wire = "openai"
base_url = "https://three.example/v1"
[prices."one/m"]
input = 2.0
output = 10.0
[prices."two/m"]
input = 0.1
output = 0.5
"""

Script = Mapping[str, Reply | Refusal] | Callable[[Call], Reply | Refusal]


def setting(script: Script, route: str = "", policies: dict[str, PolicyFunction] | None = None) -> Setting:
    reply = script if callable(script) else lambda call: script[call.url.split("/")[2].split(".")[0]]
    config = f'{PROVIDERS}\n[routes.r]\ntargets = ["one/m", "two/m", "three/m"]\n{route}'
    snapshot = load(config, {}, read_file=lambda _: b"")
    upstream, ear = ScriptedUpstream(reply), Ear()
    errors: list[tuple[str, str]] = []
    alive = live(
        snapshot, upstream, policies=policies, on_error=lambda name, failure: errors.append((name, failure.kind))
    )
    made = Setting(Gateway(alive, ear, lambda: 0.5), upstream, ear)
    made.policy_errors = errors
    return made


def story(s: Setting) -> list[tuple[str, str, str]]:
    return [(a.target.provider, a.trigger, a.outcome) for a in s.ear.records[-1].attempts]


def after(seconds: float, reply: Reply) -> Reply:
    return Reply(reply.status, reply.body, delay=seconds)


async def test_cheapest_asks_the_cheapest_first(autojump_clock: MockClock) -> None:
    s = setting(lambda _: completion(), 'strategy = "cheapest"')
    assert (await plain(s, chat("r"))).headers["x-clawgw-provider"] == "two"


async def test_race_asks_all_at_once_and_cancels_the_losers(autojump_clock: MockClock) -> None:
    script: Script = {"one": SILENT, "two": after(2.0, completion()), "three": after(1.0, completion())}
    s = setting(script, 'strategy = "race"')
    assert (await plain(s, chat("r"))).headers["x-clawgw-provider"] == "three"
    assert story(s) == [("one", "primary", "cancelled"), ("two", "race", "cancelled"), ("three", "race", "won")]
    assert s.record.duration_ms == 1000.0
    assert s.left_open() == (0, 0)


async def test_a_hedge_joins_a_slow_target(autojump_clock: MockClock) -> None:
    script: Script = {"one": after(30.0, completion()), "two": after(1.0, completion()), "three": refused()}
    s = setting(script, 'strategy = "hedge"\nhedge_after = 0.7')
    answer = await plain(s, chat("r"))
    assert (answer.headers["x-clawgw-provider"], answer.headers["x-clawgw-attempts"]) == ("two", "2")
    assert story(s) == [("one", "primary", "cancelled"), ("two", "hedge", "won")]
    assert s.record.duration_ms == pytest.approx(1700.0)


async def test_a_hedged_stream_is_won_by_the_first_content_not_by_the_first_byte(autojump_clock: MockClock) -> None:
    first = Reply(body=[ROLE, 60.0, chunk({"content": "late"}), *END])
    second = Reply(body=[ROLE, 1.0, chunk({"content": "soon"}), *END])
    s = setting({"one": first, "two": second, "three": refused()}, 'strategy = "hedge"\nhedge_after = 0.7')
    _, said = await stream(s, chat("r", stream=True))
    assert b"soon" in said
    assert b"late" not in said
    assert s.left_open() == (0, 0)


async def test_hedges_spend_a_budget(autojump_clock: MockClock) -> None:
    script: Script = {"one": after(3.0, completion()), "two": after(9.0, completion()), "three": refused()}
    s = setting(script, 'strategy = "hedge"\nhedge_after = 0.7\nfailover_after_s = 100')
    for _ in range(5):
        await plain(s, chat("r"))
    hedged = [any(a.trigger == "hedge" for a in record.attempts) for record in s.ear.records]
    assert hedged == [True, True, True, False, False]


async def test_silence_spends_a_budget(autojump_clock: MockClock) -> None:
    script: Script = {"one": after(6.0, completion()), "two": after(9.0, completion()), "three": refused()}
    s = setting(script)
    for _ in range(5):
        await plain(s, chat("r"))
    joined = [any(a.trigger == "silence" for a in record.attempts) for record in s.ear.records]
    assert joined == [True, True, True, False, False]


async def test_a_target_that_keeps_failing_is_left_alone(autojump_clock: MockClock) -> None:
    s = setting({"one": error_reply(500), "two": completion(), "three": refused()})
    for _ in range(6):
        await plain(s, chat("r"))
    asked = [[a.target.provider for a in record.attempts] for record in s.ear.records]
    assert asked == [["one", "two"]] * 5 + [["two"]]


async def test_a_breaker_opens_for_ten_seconds_and_closes_after_two_probes(autojump_clock: MockClock) -> None:
    faults = [error_reply(500)] * 5
    s = setting(lambda call: faults.pop() if faults and "one" in call.url else completion())
    for _ in range(5):
        await plain(s, chat("r"))
    [(opened_at, _), *_] = s.upstream.calls[-2:]
    await trio.sleep_until(opened_at + 9.9)
    assert (await plain(s, chat("r"))).headers["x-clawgw-provider"] == "two"
    await trio.sleep_until(opened_at + 11.0)
    for _ in range(3):
        assert (await plain(s, chat("r"))).headers["x-clawgw-provider"] == "one"


async def test_all_breakers_open_is_a_503_without_a_call(autojump_clock: MockClock) -> None:
    s = setting(lambda _: error_reply(500), "max_attempts = 1")
    for provider in ("one", "two", "three"):
        for _ in range(5):
            await error_of(s, chat(f"{provider}/m"))
    calls = len(s.upstream.calls)
    error = await error_of(s, chat("r"))
    assert (error.status, error.type, error.code) == (503, "unavailable", "no_healthy_target")
    assert error.retry_after_s is not None
    assert 0 < error.retry_after_s <= 10
    assert len(s.upstream.calls) == calls
    assert s.ear.records[-1].attempts == ()


async def test_the_clients_own_mistakes_open_no_breaker(autojump_clock: MockClock) -> None:
    s = setting(lambda _: error_reply(400))
    for _ in range(10):
        assert (await error_of(s, chat("one/m"))).status == 400
    assert len(s.upstream.calls) == 10


async def test_a_429_cools_its_target_down_for_as_long_as_it_says(autojump_clock: MockClock) -> None:
    limited = [Reply(429, [b"{}"], headers={"retry-after": "20"})]
    s = setting(lambda call: limited.pop() if limited and "one" in call.url else completion())
    assert (await plain(s, chat("r"))).headers["x-clawgw-provider"] == "two"
    assert (await plain(s, chat("r"))).headers["x-clawgw-provider"] == "two"
    assert story(s) == [("two", "failover", "won")]
    await trio.sleep(20)
    assert (await plain(s, chat("r"))).headers["x-clawgw-provider"] == "one"


async def test_a_long_cool_down_is_passed_on_without_a_call(autojump_clock: MockClock) -> None:
    s = setting({"one": Reply(429, [b"{}"], headers={"retry-after": "3600"})})
    assert (await error_of(s, chat("one/m"))).status == 429
    await trio.sleep(100)
    error = await error_of(s, chat("one/m"))
    assert error.code == "upstream_rate_limited"
    assert error.retry_after_s == pytest.approx(3500, abs=1)
    assert len(s.upstream.calls) == 1


async def test_a_target_whose_streams_keep_breaking_is_left_alone(autojump_clock: MockClock) -> None:
    broken_stream = Reply(body=[ROLE, chunk({"content": "x"}), 1.0, Failure(Kind.RESET, "reset")])
    s = setting({"one": broken_stream})
    # Each counts once as an answer and once as a fault: half of twenty outcomes after ten requests.
    for _ in range(10):
        await stream(s, chat("one/m", stream=True))
        assert story(s) == [("one", "primary", "failed")]
    assert (await error_of(s, chat("one/m", stream=True))).code == "no_healthy_target"


async def test_a_key_that_is_throttled_is_passed_over_for_another(autojump_clock: MockClock) -> None:
    config = '[providers.p]\nwire = "openai"\nbase_url = "https://p.example/v1"\napi_keys = ["env:A", "env:B"]'
    snapshot = load(config, {"A": "a", "B": "b"}, read_file=lambda _: b"")
    limited = Reply(429, [b"{}"], headers={"retry-after": "60"})
    upstream = ScriptedUpstream(lambda call: limited if call.headers["authorization"] == "Bearer a" else completion())
    s = Setting(Gateway(live(snapshot, upstream), Ear(), lambda: 0.5), upstream, Ear())
    with trio.fail_after(5):
        for _ in range(3):
            await s.gateway.answer(chat("p/m"), arrival(s))
    keys = [call.headers["authorization"] for _, call in upstream.calls]
    assert keys.count("Bearer a") == 1


def reversed_order(request: object, targets: object, options: object) -> Plan:
    """Three before two before one."""
    names = ["three", "two", "one"]
    return Plan([PlannedAttempt(Target(n, "m"), AtOnce() if n == "three" else OnFailure()) for n in names])


def broken(request: object, targets: object, options: object) -> Plan:
    raise ValueError("a bug")


async def test_a_policy_decides(autojump_clock: MockClock) -> None:
    s = setting(
        {"one": completion(), "two": completion(), "three": refused()}, 'policy = "p:f"', {"p:f": reversed_order}
    )
    await plain(s, chat("r"))
    assert story(s) == [("three", "primary", "failed"), ("two", "failover", "won")]


async def test_a_policy_that_fails_is_replaced_by_the_configured_order_and_counted(autojump_clock: MockClock) -> None:
    s = setting(lambda _: completion(), 'policy = "p:f"', {"p:f": broken})
    assert (await plain(s, chat("r"))).headers["x-clawgw-provider"] == "one"
    assert s.policy_errors == [("p:f", "raised")]


async def test_an_on_failure_of_a_policy_is_joined_after_the_routes_silence(autojump_clock: MockClock) -> None:
    s = setting({"one": completion(), "two": completion(), "three": SILENT}, 'policy = "p:f"', {"p:f": reversed_order})
    await plain(s, chat("r"))
    assert s.record.duration_ms == 4500.0


def meddling(request: Any, targets: Any, options: Any) -> Plan:
    targets.clear()
    raise ValueError("a bug")


def relabelling(request: Any, targets: Any, options: Any) -> Plan:
    request.metadata["team"] = "mine"
    return in_turn(targets)


async def test_what_a_policy_does_to_its_targets_is_its_own_affair(autojump_clock: MockClock) -> None:
    s = setting(lambda _: completion(), 'policy = "p:f"', {"p:f": meddling})
    assert (await plain(s, chat("r"))).headers["x-clawgw-provider"] == "one"
    assert s.policy_errors == [("p:f", "raised")]


async def test_a_policy_cannot_change_the_request(autojump_clock: MockClock) -> None:
    s = setting(lambda _: completion(), 'policy = "p:f"', {"p:f": relabelling})
    await plain(s, chat("r", metadata={"team": "yours"}))
    assert s.policy_errors == [("p:f", "raised")]
    assert s.record.metadata == {"team": "yours"}


async def test_a_target_that_only_looks_like_one_is_not_asked(autojump_clock: MockClock) -> None:
    s = setting(
        lambda _: completion(),
        'policy = "p:f"',
        {"p:f": lambda *_: Plan([PlannedAttempt(cast("Target", ("two", "m")))])},
    )
    assert (await plain(s, chat("r"))).headers["x-clawgw-provider"] == "one"
    assert s.policy_errors == [("p:f", "rubbish")]
