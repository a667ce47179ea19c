"""The table of faults before the first content: another target answers, or the client sees one clear error."""

import logging
from collections.abc import Sequence

import pytest
import trio
from attrs import frozen

from tests.fake_upstream import Close, Pause, Reset, Send, Stall, Until, head, in_turn, json_answer, sse_answer
from tests.faults.answers import QUOTA, ROLE, TEXT, always, begun, completion, error, event, good, says, streamed
from tests.faults.setting import (
    EXPLICIT_S,
    GONE_S,
    SILENCE_S,
    Target,
    both_ways,
    events,
    seen,
    start,
    text_of,
)
from tests.given_time import Stopwatch, within
from tests.net.test_connecting import black_hole, refusing_port

REFUSING = f"http://127.0.0.1:{refusing_port()}"
HTML = [("content-type", "text/html"), ("content-length", "6")]
SAID_ERROR = event({"error": {"message": "overloaded", "type": "server_error", "code": None}})
WORDY = begun(*[b": %b\n\n" % (b"x" * 8000)] * 20)
"""Comments without end, which are no content."""


@frozen
class Fault:
    """How the first target fails, and what its attempt's record says of it."""

    first: Target
    error_code: str
    plain: bool = True
    streamed: bool = True


FAULTS = {
    "connect refused": Fault(REFUSING, "connect"),
    "reset": Fault(always([Reset()]), "reset"),
    "closed": Fault(always([Close()]), "reset"),
    "reset in the head": Fault(always([Send(b"HTTP/1.1 200 OK\r\nconte"), Reset()]), "reset"),
    "no HTTP": Fault(always([Send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")]), "invalid"),
    "408": Fault(error(408), "server"),
    "409": Fault(error(409), "server"),
    "429": Fault(error(429, retry_after="1"), "rate_limited"),
    "429 for an hour": Fault(error(429, retry_after="3600"), "rate_limited"),
    "quota": Fault(error(429, QUOTA), "quota"),
    "500": Fault(error(500), "server"),
    "502 with HTML": Fault(error(502, b"<html>"), "server"),
    "503": Fault(error(503), "server"),
    "529": Fault(error(529), "server"),
    "401": Fault(error(401), "auth"),
    "404": Fault(error(404), "model_not_found"),
    "HTML": Fault(always([Send(head(200, HTML) + b"<html>")]), "invalid"),
    "broken JSON": Fault(always(json_answer(200, b'{"choices": [')), "invalid", streamed=False),
    "broken JSON in a stream": Fault(always(sse_answer(b"data: {oops\n\n")), "invalid", plain=False),
    "error before content": Fault(always(sse_answer(ROLE + SAID_ERROR)), "server", plain=False),
    "end before content": Fault(always(sse_answer(ROLE)), "reset", plain=False),
    "reset before content": Fault(always([*begun(ROLE), Reset()]), "reset", plain=False),
    "no content but comments": Fault(always([*WORDY, Stall()]), "too_large", plain=False),
}


def rows() -> list[object]:
    return [
        pytest.param(fault, stream, id=f"{name}, {'streamed' if stream else 'plain'}")
        for name, fault in FAULTS.items()
        for stream, applies in ((False, fault.plain), (True, fault.streamed))
        if applies
    ]


@pytest.mark.parametrize(("fault", "stream"), rows())
async def test_the_next_target_answers(nursery: trio.Nursery, fault: Fault, *, stream: bool) -> None:
    s = await start(nursery, [fault.first, good])
    with within(EXPLICIT_S):
        answer = await s.ask(stream=stream)
    assert (answer.status, text_of(answer)) == (200, TEXT)
    assert (answer.headers["x-clawgw-provider"], answer.headers["x-clawgw-attempts"]) == ("t2", "2")
    assert await s.attempts() == [("t1", "primary", "failed", fault.error_code), ("t2", "failover", "won", None)]
    assert (await s.record()).outcome == "ok"


async def test_one_preamble_where_two_began(nursery: trio.Nursery) -> None:
    s = await start(nursery, [always(sse_answer(ROLE + SAID_ERROR)), good])
    said = events((await s.ask(stream=True)).body)
    roles = [each["choices"][0]["delta"].get("role") for each in said[:-1] if each["choices"]]
    assert [role for role in roles if role] == ["assistant"]
    assert said[-1] == "[DONE]"


@frozen
class Row:
    """Targets that all fail; the status, type and code that the client sees; the kinds of the attempts."""

    targets: Sequence[Target]
    sees: tuple[int, str, str | None]
    kinds: Sequence[str]
    route: str = ""
    retry_after: str | None = None


UPSTREAM = "upstream_error"
ALL_FAILED = {
    "all down": Row([REFUSING] * 3, (502, UPSTREAM, "all_targets_failed"), ["connect"] * 3),
    "three of four": Row([REFUSING] * 4, (502, UPSTREAM, "all_targets_failed"), ["connect"] * 3),
    "each in its way": Row(
        [REFUSING, error(500), error(429)], (502, UPSTREAM, "all_targets_failed"), ["connect", "server", "rate_limited"]
    ),
    "429 for an hour": Row(
        [error(429, retry_after="3600")],
        (429, "rate_limit_error", "upstream_rate_limited"),
        ["rate_limited"],
        route="deadline_s = 60",
        retry_after="3600",
    ),
    "429, the shortest hint counts": Row(
        [error(429, retry_after="3600"), error(429, retry_after="1800")],
        (429, "rate_limit_error", "upstream_rate_limited"),
        ["rate_limited"] * 2,
        route="deadline_s = 60",
        retry_after="1800",
    ),
    "quota": Row([error(429, QUOTA)] * 2, (429, "insufficient_quota", "upstream_quota_exhausted"), ["quota"] * 2),
    "400": Row([error(400), good], (400, "invalid_request_error", None), ["bad_request"]),
    "401": Row([error(401)] * 2, (502, UPSTREAM, "upstream_auth_failed"), ["auth"] * 2),
    "404": Row([error(404)], (404, "invalid_request_error", "model_not_found"), ["model_not_found"]),
    "HTML": Row(
        [always([Send(head(200, HTML) + b"<html>")])] * 2,
        (502, UPSTREAM, "invalid_upstream_response"),
        ["invalid"] * 2,
        route="max_attempts = 2",
    ),
}


@both_ways
@pytest.mark.parametrize("row", ALL_FAILED.values(), ids=ALL_FAILED)
async def test_all_targets_fail(nursery: trio.Nursery, row: Row, *, stream: bool) -> None:
    s = await start(nursery, row.targets, route=row.route)
    answer = await s.ask(stream=stream)
    assert seen(answer) == row.sees
    assert answer.headers["x-should-retry"] == "false"
    assert answer.headers["content-type"] == "application/json"
    if row.sees[0] == 429:
        assert int(answer.headers["retry-after"]) >= 1
    if row.retry_after:
        assert answer.headers["retry-after"] == row.retry_after
    assert [kind for _, _, _, kind in await s.attempts()] == row.kinds
    record = await s.record()
    assert (record.outcome, record.status, record.error_code) == ("error", row.sees[0], row.sees[2])


async def test_each_attempts_reason_is_told(nursery: trio.Nursery) -> None:
    s = await start(nursery, [REFUSING, error(500), error(429, retry_after="9")])
    message = (await s.ask()).error["message"]
    for said in ("t1/m: ", "connection refused", "t2/m: HTTP 500", "t3/m: HTTP 429"):
        assert said in message


@both_ways
async def test_a_body_over_the_cap(nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch, *, stream: bool) -> None:
    """An answer without end is cut off at its cap."""
    monkeypatch.setattr("clawgw.engine.incoming.MAX_BODY_BYTES", 1_000_000)
    endless = [Send(head(200, [("transfer-encoding", "chunked")])), *[Send(b"10000\r\n%b\r\n" % bytes(65536))] * 1000]
    s = await start(nursery, [always(endless)], route="max_attempts = 1")
    assert seen(await s.ask(stream=stream)) == (502, UPSTREAM, "upstream_too_large")
    with within(GONE_S):
        await s.fakes["t1"].wait_closed(1)


async def test_a_wait_of_a_second_is_kept(nursery: trio.Nursery) -> None:
    """429 with Retry-After 1, and no other target."""
    s = await start(nursery, [in_turn(json_answer(429, {}, [("retry-after", "1")]), completion())])
    asked_at = trio.current_time()
    assert (await s.ask()).status == 200
    assert trio.current_time() - asked_at >= 1.0
    assert await s.attempts() == [("t1", "primary", "failed", "rate_limited"), ("t1", "retry", "won", None)]


@both_ways
async def test_all_breakers_open(nursery: trio.Nursery, *, stream: bool) -> None:
    config = "[breaker]\nconsecutive_failures = 1\nopen_s = 30"
    s = await start(nursery, [error(500), error(500)], route="max_attempts = 2", config=config)
    assert (await s.ask(stream=stream)).status == 502
    answer = await s.ask(stream=stream)
    assert seen(answer) == (503, "unavailable", "no_healthy_target")
    assert 20 <= int(answer.headers["retry-after"]) <= 37  # 30 s ± 20 %, rounded up
    assert s.asked() == [1, 1]
    assert await s.attempts() == []


async def test_quota_and_refused_keys_are_alerts(nursery: trio.Nursery, caplog: pytest.LogCaptureFixture) -> None:
    s = await start(nursery, [error(429, QUOTA), error(401), good])
    assert (await s.ask()).headers["x-clawgw-provider"] == "t3"
    alerts = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert [alert.split(" is set aside")[0] for alert in alerts] == [
        "provider t1: key 1 of 1",
        "provider t2: key 1 of 1",
    ]


async def test_the_next_key_after_a_refused_one(nursery: trio.Nursery) -> None:
    s = await start(nursery, [in_turn(json_answer(401, {}), completion()), good], keys=2)
    assert (await s.ask()).headers["x-clawgw-provider"] == "t1"
    keys = {request.headers["authorization"] for request in s.fakes["t1"].requests}
    assert keys == {"Bearer sk-secret-1", "Bearer sk-secret-2"}
    assert await s.attempts() == [("t1", "primary", "failed", "auth"), ("t1", "retry", "won", None)]


async def test_a_400_cancels_the_hedge(nursery: trio.Nursery) -> None:
    hedged = trio.Event()
    held = [Until(hedged), *json_answer(400, {})]
    s = await start(nursery, [always(held), always([Stall()])], route='strategy = "hedge"\nhedge_after = 0.01')
    async with trio.open_nursery() as asking:

        async def ask() -> None:
            assert seen(await s.ask()) == (400, "invalid_request_error", None)

        asking.start_soon(ask)
        await s.fakes["t2"].wait_requests(1)
        hedged.set()
    with within(GONE_S):
        await s.fakes["t2"].wait_closed(1)
    assert await s.attempts() == [("t1", "primary", "failed", "bad_request"), ("t2", "hedge", "cancelled", None)]


# Silence


async def test_silence_at_the_default_of_four_seconds(nursery: trio.Nursery) -> None:
    """The next target is asked while the first still may answer; the first is closed when it has lost."""
    s = await start(nursery, [always([Stall()]), good])
    asked_at, stopwatch = trio.current_time(), Stopwatch()
    answer = await s.ask()
    assert stopwatch.given_s() < SILENCE_S
    assert (answer.status, text_of(answer)) == (200, TEXT)
    assert s.fakes["t2"].accepted_at[0] - asked_at >= 4.0
    with within(GONE_S):
        await s.fakes["t1"].wait_closed(1)
    assert await s.attempts() == [("t1", "primary", "cancelled", None), ("t2", "silence", "won", None)]


@both_ways
async def test_a_slow_thinker_may_still_win(nursery: trio.Nursery, *, stream: bool) -> None:
    joined = trio.Event()
    thinker = always([Until(joined), *(streamed() if stream else completion())])
    s = await start(nursery, [thinker, always([Stall()])], route="failover_after_s = 0.05")
    answers = []
    async with trio.open_nursery() as asking:

        async def ask() -> None:
            answers.append(await s.ask(stream=stream))

        asking.start_soon(ask)
        await s.fakes["t2"].wait_requests(1)
        joined.set()
    assert [(answer.status, answer.headers["x-clawgw-provider"]) for answer in answers] == [(200, "t1")]
    with within(GONE_S):
        await s.fakes["t2"].wait_closed(1)
    assert await s.attempts() == [("t1", "primary", "won", None), ("t2", "silence", "cancelled", None)]


async def test_one_byte_is_not_silence(nursery: trio.Nursery) -> None:
    """A target that has begun to answer is not joined, however long it takes."""
    slow = always([*begun(ROLE), Pause(0.6), *begun(says("hi"))[1:], Close()])
    s = await start(nursery, [slow, good], route="failover_after_s = 0.5")
    await s.ask(stream=True)
    assert s.asked() == [1, 0]


@both_ways
async def test_every_attempt_times_out(nursery: trio.Nursery, *, stream: bool) -> None:
    timeouts = "{ first_token_s = 0.1, total_s = 0.1 }"
    s = await start(nursery, [always([Stall()])] * 2, route="max_attempts = 2", timeouts=timeouts)
    answer = await s.ask(stream=stream)
    assert seen(answer) == (504, UPSTREAM, "upstream_timeout")
    assert answer.headers["x-should-retry"] == "false"
    assert [kind for _, _, _, kind in await s.attempts()] == ["timeout"] * 2
    for fake in s.fakes.values():
        with within(GONE_S):
            await fake.wait_closed(1)


async def test_the_deadline_ends_every_attempt(nursery: trio.Nursery) -> None:
    s = await start(nursery, [always([Stall()])] * 2, route="deadline_s = 0.2\nfailover_after_s = 0.1")
    asked_at = trio.current_time()
    with within(0.2 + GONE_S):
        assert seen(await s.ask()) == (504, UPSTREAM, "upstream_timeout")
    assert trio.current_time() - asked_at >= 0.2


async def test_a_connection_that_never_comes_about(nursery: trio.Nursery) -> None:
    """The default is to wait for it for 1.5 s."""
    with black_hole() as port:
        s = await start(nursery, [f"http://127.0.0.1:{port}", good])
        asked_at = trio.current_time()
        with within(1.5 + EXPLICIT_S):
            assert (await s.ask()).headers["x-clawgw-provider"] == "t2"
        assert s.fakes["t2"].accepted_at[0] - asked_at >= 1.5
    assert await s.attempts() == [("t1", "primary", "failed", "connect"), ("t2", "failover", "won", None)]


async def test_every_connection_never_comes_about(nursery: trio.Nursery) -> None:
    with black_hole() as port:
        dead = f"http://127.0.0.1:{port}"
        s = await start(nursery, [dead, dead], route="max_attempts = 2", timeouts="{ connect_s = 0.1 }")
        assert seen(await s.ask()) == (504, UPSTREAM, "upstream_timeout")
