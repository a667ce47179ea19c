"""Limits end to end in virtual time: what is reserved, what is settled, and what a client is told."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
import trio
from attrs import define, field
from trio.testing import MockClock, wait_all_tasks_blocked

from clawgw.config.callers import key_digest
from clawgw.config.load import load
from clawgw.engine.arrival import Arrival
from clawgw.errors import GatewayError
from clawgw.gateway import Gateway, PlainAnswer, StreamAnswer
from clawgw.ledger.record import RequestRecord
from clawgw.limits.bucket import Bucket, Kind, Scope, Verdict, Wanted
from clawgw.limits.store import LimitStore
from clawgw.policies.functions import PolicyFunction
from clawgw.policy import Charge, RequestFacts
from clawgw.wire.checks.parse import parse_embeddings_request
from clawgw.wire.failure import Failure
from clawgw.wire.request import Request
from tests.living import live
from tests.scripted_upstream import SILENT, Refusal, Reply, ScriptedUpstream
from tests.test_gateway import END, ROLE, chat, chunk, completion, error_reply

LEAVER: list[bytes | float | Failure] = [ROLE, chunk({"content": "one two three four"}), 1e9]


def config(key: str = "", one: str = "", rest: str = "") -> str:
    return f"""
[[keys]]
name = "alice"
sha256 = "{key_digest("alice").hex()}"
labels = {{ team = "search" }}
{key}
[[keys]]
name = "bob"
sha256 = "{key_digest("bob").hex()}"
labels = {{ team = "search" }}
[providers.one]
wire = "openai"
base_url = "https://one.example/v1"
api_keys = ["env:KEY_A", "env:KEY_B"]
{one}
[providers.two]
wire = "openai"
base_url = "https://two.example/v1"
[routes.both]
targets = ["one/m", "two/m"]
[routes.race]
targets = ["one/m", "two/m"]
strategy = "race"
{rest}
[prices."two/m"]
input = 1.0
output = 10.0
"""


@define
class Setting:
    gateway: Gateway
    upstream: ScriptedUpstream
    rejections: list[tuple[Scope, Kind]] = field(factory=list)
    records: list[RequestRecord] = field(factory=list)
    ids: Iterator[int] = field(factory=count)

    def request_started(self, endpoint: str) -> None: ...

    def request_ended(self, record: RequestRecord) -> None:
        self.records.append(record)

    async def answer(self, request: Request, key: str = "alice") -> PlainAnswer | StreamAnswer:
        lives = self.gateway.live
        caller = lives.snapshot.callers.find(key)
        assert caller is not None
        arrival = Arrival(f"req_{next(self.ids)}", None, trio.current_time(), 1_800_000_000.0, lives, caller)
        return await self.gateway.answer(request, arrival)

    async def refused(self, request: Request, key: str = "alice") -> GatewayError:
        with pytest.raises(GatewayError) as caught:
            await self.answer(request, key)
        return caught.value

    async def stream(self, request: Request, *, reads: int = 1_000) -> StreamAnswer:
        """Read so much of a stream, then leave."""
        answer = await self.answer(request)
        assert isinstance(answer, StreamAnswer)
        for _ in range(reads):
            if not await answer.receive():
                break
        answer.close()
        return answer

    def used(self, scope: Scope, name: str, kind: Kind, limit: int, **per: Any) -> int:
        standing = self.gateway.live.limiter.store.peek(Bucket(scope, name, kind, limit, **per))
        return 0 if standing is None else limit - standing.remaining


Script = Mapping[str, Reply | Refusal] | Callable[[Any], Reply | Refusal]


def setting(text: str, script: Script, quota: PolicyFunction | None = None) -> Setting:
    reply = script if callable(script) else lambda call: script[call.url.split("/")[2].split(".")[0]]
    snapshot = load(text, {"KEY_A": "a", "KEY_B": "b"}, read_file=lambda _: b"")
    upstream = ScriptedUpstream(reply)
    rejections = list[tuple[Scope, Kind]]()
    lives = live(
        snapshot,
        upstream,
        policies={} if quota is None else {"mine:quota": quota},
        on_rejection=lambda scope, kind: rejections.append((scope, kind)),
    )
    s = Setting(Gateway(lives, None, lambda: 0.5), upstream, rejections)  # type: ignore[arg-type] # itself, below
    s.gateway.listener = s
    return s


async def test_a_burst_is_let_through_and_no_more(autojump_clock: MockClock) -> None:
    s = setting(config("limits = { requests_per_minute = 10 }"), {"one": completion()})
    outcomes = list[str]()

    async def ask() -> None:
        try:
            await s.answer(chat("one/m"))
            outcomes.append("200")
        except GatewayError as error:
            outcomes.append(f"{error.status} {error.code}")

    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(ask)
    assert sorted(outcomes) == ["200"] * 10 + ["429 rate_limit_exceeded"] * 40
    assert s.rejections == [("key", "requests")] * 40
    assert len(s.records) == 50


async def test_a_refusal_says_when_there_is_room_and_then_there_is(autojump_clock: MockClock) -> None:
    s = setting(config("limits = { requests_per_minute = 1 }"), {"one": completion()})
    await s.answer(chat("one/m"))
    refusal = await s.refused(chat("one/m"))
    assert refusal.retry_after_s == 59.5  # the first answer took half a second
    assert refusal.headers["x-ratelimit-remaining-requests"] == "0"
    await trio.sleep(59.4)
    await s.refused(chat("one/m"))
    await trio.sleep(0.1)
    await s.answer(chat("one/m"))


async def test_headers_tell_what_is_left(autojump_clock: MockClock) -> None:
    s = setting(config("limits = { requests_per_minute = 60, tokens_per_minute = 6000 }"), {"one": completion()})
    answer = await s.answer(chat("one/m", max_tokens=92))
    assert {name: value for name, value in answer.headers.items() if name.startswith("x-ratelimit")} == {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-limit-tokens": "6000",
        "x-ratelimit-remaining-tokens": "5900",  # the prompt "hi" is taken to have 8
        "x-ratelimit-reset-tokens": "1s",
    }


async def test_tokens_are_settled_with_what_was_used(autojump_clock: MockClock) -> None:
    s = setting(config("limits = { tokens_per_minute = 6000 }"), {"one": completion()})
    await s.answer(chat("one/m", max_tokens=2992))
    # 3000 were reserved, half a second has given back 50; 9 were used.
    assert s.used("key", "alice", "tokens", 6000) == 0
    s = setting(config("limits = { tokens_per_minute = 6000 }"), {"one": completion(prompt_tokens=4000)})
    await s.answer(chat("one/m", max_tokens=2992))
    assert s.used("key", "alice", "tokens", 6000) == 4002 - 50


async def test_an_answers_length_counts_only_where_the_endpoint_knows_it(autojump_clock: MockClock) -> None:
    s = setting(config("limits = { tokens_per_minute = 6000 }"), {"one": completion()})
    request = parse_embeddings_request(b'{"model":"one/m","input":"hi","max_tokens":"x"}')
    with pytest.raises(GatewayError, match="invalid"):  # the upstream's answer is a chat's
        await s.answer(request)
    assert s.upstream.calls


async def test_a_whole_stream_is_settled_with_its_report(autojump_clock: MockClock) -> None:
    report = Reply(body=[ROLE, chunk({"content": "hello"}), *END])
    s = setting(config("limits = { tokens_per_minute = 6000 }"), {"one": report})
    await s.stream(chat("one/m", stream=True))
    assert s.used("key", "alice", "tokens", 6000) == 9


async def test_a_stream_that_is_left_is_charged_for_what_was_seen(autojump_clock: MockClock) -> None:
    s = setting(config("limits = { tokens_per_minute = 6000, concurrent = 1 }"), {"one": Reply(body=LEAVER)})
    await s.stream(chat("one/m", stream=True), reads=1)
    assert s.used("key", "alice", "tokens", 6000) == 8 + 5  # 18 characters, four a token
    assert s.used("key", "alice", "concurrent", 1) == 0


async def test_a_place_is_held_while_a_stream_runs(autojump_clock: MockClock) -> None:
    s = setting(config("limits = { concurrent = 1 }"), {"one": Reply(body=LEAVER)})
    answer = await s.answer(chat("one/m", stream=True))
    assert "1 requests at once" in (await s.refused(chat("one/m"))).message
    assert isinstance(answer, StreamAnswer)
    answer.close()
    await s.stream(chat("one/m", stream=True), reads=1)


async def test_whoever_leaves_before_the_answer_holds_nothing(autojump_clock: MockClock) -> None:
    s = setting(config("limits = { concurrent = 1 }", "limits = { concurrent = 1 }"), {"one": SILENT})
    with trio.move_on_after(1):
        await s.answer(chat("one/m"))
    assert (s.used("key", "alice", "concurrent", 1), s.used("provider", "one", "concurrent", 1)) == (0, 0)


async def test_what_was_never_sent_is_given_back(autojump_clock: MockClock) -> None:
    limits = "limits = { requests_per_minute = 5 }"
    s = setting(config(limits, limits, "[breaker]\nconsecutive_failures = 1"), {"one": error_reply(500)})
    await s.refused(chat("one/m"))
    used = s.used("key", "alice", "requests", 5)
    error = await s.refused(chat("one/m"))
    assert (error.code, used) == ("no_healthy_target", 1)
    assert s.used("key", "alice", "requests", 5) == 1


async def test_a_label_is_shared_by_all_who_have_it(autojump_clock: MockClock) -> None:
    s = setting(config(rest='[limits.labels."team:search"]\nrequests_per_minute = 1'), {"one": completion()})
    await s.answer(chat("one/m"), "bob")
    error = await s.refused(chat("one/m"))
    assert "that this key shares is 1 requests per minute" in error.message
    assert "search" not in error.message


async def test_a_route_is_shared_by_all_who_use_it(autojump_clock: MockClock) -> None:
    rest = '[routes.small]\ntargets = ["one/m"]\nlimits = { requests_per_minute = 1 }'
    s = setting(config(rest=rest), {"one": completion()})
    await s.answer(chat("small"), "bob")
    assert "of the route is 1" in (await s.refused(chat("small"))).message
    await s.answer(chat("one/m"))


async def test_a_provider_over_its_limit_means_the_next_target_and_costs_no_attempt(autojump_clock: MockClock) -> None:
    s = setting(config(one="limits = { requests_per_minute = 1 }"), {"one": completion(), "two": completion()})
    await s.answer(chat("both"))
    began = trio.current_time()
    answer = await s.answer(chat("both"))
    assert (answer.headers["x-clawgw-provider"], answer.headers["x-clawgw-attempts"]) == ("two", "1")
    assert trio.current_time() - began == 0.5
    assert s.rejections == [("provider", "requests")]


async def test_with_no_other_target_it_is_a_429_and_nothing_is_taken(autojump_clock: MockClock) -> None:
    s = setting(
        config("limits = { requests_per_minute = 5 }", "limits = { concurrent = 1 }"), {"one": Reply(body=LEAVER)}
    )
    answer = await s.answer(chat("one/m", stream=True))
    error = await s.refused(chat("one/m"))
    assert (error.status, error.code) == (429, "rate_limit_exceeded")
    assert "of the provider is 1 requests at once" in error.message
    assert s.used("key", "alice", "requests", 5) == 1
    assert isinstance(answer, StreamAnswer)
    answer.close()
    assert s.used("provider", "one", "concurrent", 1) == 0


async def test_with_no_other_target_and_nothing_left_of_its_budget_the_money_is_spent(
    autojump_clock: MockClock,
) -> None:
    price = '[prices."one/m"]\ninput = 1.0\noutput = 10.0'
    text = config(one="budget = { usd = 0.00001, per = 'day' }", rest=price)
    s = setting(text, {"one": completion(prompt_tokens=5, completion_tokens=1)})
    await s.answer(chat("one/m", max_tokens=1))
    error = await s.refused(chat("one/m", max_tokens=1))
    assert (error.status, error.code, error.retryable) == (429, "budget_exceeded", False)
    assert "the budget of the provider is 0.00001 USD per day" in error.message


async def test_a_key_over_its_limit_means_the_next_key(autojump_clock: MockClock) -> None:
    s = setting(config(one="key_limits = { requests_per_minute = 1 }"), {"one": completion()})
    for _ in range(2):
        await s.answer(chat("one/m"))
    assert [call.headers["authorization"] for _, call in s.upstream.calls] == ["Bearer a", "Bearer b"]
    error = await s.refused(chat("one/m"))
    assert (error.code, len(s.upstream.calls)) == ("rate_limit_exceeded", 2)
    assert "of the provider's key is 1" in error.message


async def test_an_attempts_place_is_free_when_it_has_failed_not_when_the_request_ends(
    autojump_clock: MockClock,
) -> None:
    s = setting(config(one="limits = { concurrent = 1 }"), {"one": error_reply(500), "two": Reply(body=LEAVER)})
    answer = await s.answer(chat("both", stream=True))
    assert s.used("provider", "one", "concurrent", 1) == 0
    assert isinstance(answer, StreamAnswer)
    answer.close()


async def test_a_losers_tokens_count_at_its_provider_and_not_for_the_caller(autojump_clock: MockClock) -> None:
    key, provider = "limits = { tokens_per_minute = 6000 }", "limits = { tokens_per_minute = 6000 }"
    s = setting(config(key, provider), {"one": SILENT, "two": Reply(body=[ROLE, chunk({"content": "hello"}), *END])})
    await s.stream(chat("race", stream=True))
    assert s.used("provider", "one", "tokens", 6000) == 8  # the prompt, which it was sent
    assert s.used("key", "alice", "tokens", 6000) == 9


async def test_a_budget_is_charged_with_every_attempt_and_then_used_up(autojump_clock: MockClock) -> None:
    reply = completion(prompt_tokens=100_000, completion_tokens=10_000)  # 0.1 + 0.1 USD
    s = setting(config('budget = { usd = 0.3, per = "day" }'), {"two": reply})
    for _ in range(2):
        await s.answer(chat("two/m", max_tokens=10))
    error = await s.refused(chat("two/m", max_tokens=10))
    assert (error.status, error.code) == (429, "budget_exceeded")
    assert s.used("key", "alice", "usd", 300_000_000, per="day") == 300_000_000
    assert s.records[0].cost_pico == 200_000_000_000


async def test_under_a_budget_only_what_has_a_price_is_asked(autojump_clock: MockClock) -> None:
    s = setting(config('budget = { usd = 5, per = "month" }'), {"two": completion()})
    answer = await s.answer(chat("both"))
    assert (answer.headers["x-clawgw-provider"], answer.headers["x-clawgw-attempts"]) == ("two", "1")
    error = await s.refused(chat("one/m"))
    assert (error.status, error.code) == (400, "price_unknown")


async def test_a_prompt_that_could_never_pass_is_a_400(autojump_clock: MockClock) -> None:
    s = setting(config("limits = { tokens_per_minute = 7 }"), {"one": completion()})
    assert (await s.refused(chat("one/m"))).code == "tokens_over_limit"
    s = setting(config(one="limits = { tokens_per_minute = 7 }"), {"one": completion(), "two": completion()})
    assert (await s.answer(chat("both"))).headers["x-clawgw-provider"] == "two"
    assert (await s.refused(chat("one/m"))).code == "tokens_over_limit"


async def test_many_streams_never_use_more_than_there_is(autojump_clock: MockClock) -> None:
    """Each reserves 100 tokens and really uses 9; all are settled exactly in the end."""
    reply = Reply(body=[0.001, ROLE, chunk({"content": "hello"}), 0.001, *END])
    s = setting(config("limits = { tokens_per_minute = 2000 }"), {"one": reply})
    over = list[int]()

    async def ask() -> None:
        with suppress(GatewayError):
            await s.stream(chat("one/m", stream=True, max_tokens=92))

    async with trio.open_nursery() as nursery:
        for _ in range(200):
            nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        over.append(s.used("key", "alice", "tokens", 2000))
    served = [record for record in s.records if record.outcome == "ok"]
    assert (len(served), len(s.records), over) == (20, 200, [2000])
    assert s.used("key", "alice", "tokens", 2000) == 20 * 9


@define
class Watched:
    """A store that notes what it is asked at once, and may take its time."""

    store: LimitStore
    asked: list[Sequence[str]] = field(factory=list)
    delay_s: float = 0.0

    async def reserve(self, wanted: Sequence[Wanted], expires_ms: int) -> Sequence[Verdict]:
        self.asked.append([name for name, _ in wanted])
        await trio.sleep(self.delay_s)
        return await self.store.reserve(wanted, expires_ms)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


def watch(s: Setting) -> Watched:
    watched = Watched(s.gateway.live.limiter.store)
    s.gateway.live.limiter.store = watched
    return watched


ONE_MINUTE = "limits = { requests_per_minute = 1 }"
TEN_MINUTE = "limits = { requests_per_minute = 10 }"


async def test_a_request_asks_once_for_the_caller_and_for_its_first_attempt(autojump_clock: MockClock) -> None:
    s = setting(config(TEN_MINUTE, TEN_MINUTE), {"one": completion()})
    asked = watch(s).asked
    await s.answer(chat("one/m"))
    assert asked == [["req_0", "req_0/1"]]
    assert (s.used("key", "alice", "requests", 10), s.used("provider", "one", "requests", 10)) == (1, 1)


async def test_where_nothing_is_limited_nobody_is_asked(autojump_clock: MockClock) -> None:
    s = setting(config(one=TEN_MINUTE), {"two": completion()})
    asked = watch(s).asked
    answer = await s.answer(chat("two/m"))
    assert (asked, [name for name in answer.headers if name.startswith("x-ratelimit")]) == ([], [])


async def test_a_failed_attempt_is_followed_by_one_that_asks_for_itself(autojump_clock: MockClock) -> None:
    s = setting(config(TEN_MINUTE, TEN_MINUTE), {"one": error_reply(401)})
    asked = watch(s).asked
    await s.refused(chat("one/m"))
    assert asked == [["req_0", "req_0/1"], ["req_0/2"]]


async def test_in_a_race_the_others_ask_for_themselves(autojump_clock: MockClock) -> None:
    rest = '[routes.twice]\ntargets = ["one/m", "one/n"]\nstrategy = "race"'
    s = setting(config(TEN_MINUTE, TEN_MINUTE, rest), {"one": completion()})
    asked = watch(s).asked
    await s.answer(chat("twice"))
    assert (asked, len(s.upstream.calls)) == ([["req_0", "req_0/1"], ["req_0/2"]], 2)


async def test_a_refusal_at_the_provider_leaves_what_the_caller_has_taken(autojump_clock: MockClock) -> None:
    s = setting(config(TEN_MINUTE, ONE_MINUTE), {"one": completion(), "two": completion()})
    asked = watch(s).asked
    await s.answer(chat("both"))
    answer = await s.answer(chat("both"))
    assert asked == [["req_0", "req_0/1"], ["req_1", "req_1/1"]]
    assert (answer.headers["x-clawgw-provider"], answer.headers["x-ratelimit-remaining-requests"]) == ("two", "8")
    assert s.used("key", "alice", "requests", 10) == 2


async def test_a_refused_caller_takes_neither_a_probe_nor_a_key_nor_a_place(autojump_clock: MockClock) -> None:
    rest = "[breaker]\nconsecutive_failures = 1\nopen_s = 1"
    s = setting(config(ONE_MINUTE, TEN_MINUTE, rest), {"one": error_reply(500)})
    provider = s.gateway.live.providers["one"]
    await s.refused(chat("one/m"))
    await trio.sleep(5)
    turn, used = provider.pool.candidates(trio.current_time()), s.used("provider", "one", "requests", 10)
    for _ in range(3):
        assert (await s.refused(chat("one/m"))).code == "rate_limit_exceeded"
    assert provider.pool.candidates(trio.current_time()) == turn
    assert provider.in_flight == 0
    assert provider.health.is_open("m", turn[0], trio.current_time())
    assert s.records[-1].provider is None
    assert s.used("provider", "one", "requests", 10) == used


async def test_who_leaves_while_the_limits_are_asked_for_takes_no_probe(autojump_clock: MockClock) -> None:
    s = setting(config(TEN_MINUTE, TEN_MINUTE), {"one": completion()})
    watch(s).delay_s = 1
    provider = s.gateway.live.providers["one"]
    with trio.move_on_after(0.5):
        await s.answer(chat("one/m"))
    assert provider.pool.candidates(trio.current_time())[0] == 0
    assert (provider.in_flight, provider.health.p99_s("m", trio.current_time(), streaming=False)) == (0, None)
    assert s.records[-1].outcome == "cancelled"


QUOTA = '[policies]\nquota = ["mine:quota"]\noptions = { each = 2 }'


def per_user(request: RequestFacts, options: Mapping[str, Any]) -> list[Charge]:
    return [Charge(f"user:{request.user}", requests_per_minute=options["each"])]


async def test_a_quota_policy_limits_whom_it_will(autojump_clock: MockClock) -> None:
    s = setting(config(rest=QUOTA), {"one": completion()}, per_user)
    for key in ("alice", "bob"):
        await s.answer(chat("one/m", user="u"), key)
    error = await s.refused(chat("one/m", user="u"))
    assert "the limit of a quota is 2 requests per minute" in error.message
    assert "user" not in error.message
    await s.answer(chat("one/m", user="v"))


async def test_a_quota_policy_that_fails_charges_nothing(autojump_clock: MockClock) -> None:
    def broken(request: RequestFacts, options: Mapping[str, Any]) -> list[Charge]:
        raise ValueError(request.model)

    s = setting(config(rest=QUOTA), {"one": completion()}, broken)
    for _ in range(3):
        await s.answer(chat("one/m"))


async def test_no_hedge_goes_where_little_is_left(autojump_clock: MockClock) -> None:
    rest = '[routes.hedged]\ntargets = ["two/m", "one/m"]\nstrategy = "hedge"\nhedge_after = 0.1\n'
    s = setting(
        config(one="limits = { requests_per_minute = 10 }", rest=rest), {"one": completion(), "two": completion()}
    )
    await s.answer(chat("hedged"))
    for _ in range(9):
        await s.answer(chat("one/m"))
    calls = len(s.upstream.calls)
    await s.answer(chat("hedged"))
    assert [len(record.attempts) for record in s.records[:1]] == [2]
    assert len(s.upstream.calls) == calls + 1
