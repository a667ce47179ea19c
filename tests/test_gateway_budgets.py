"""What the log says was spent is, to the nano-dollar, what every budget was charged."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from clawgw.engine.upstream import Call
from clawgw.errors import GatewayError
from clawgw.gateway import PlainAnswer
from clawgw.ledger.journal.spool import Spool
from clawgw.ledger.sinks.sqlite import Database, SqliteSink
from clawgw.ledger.spending import Spender
from clawgw.ledger.spent import spending
from clawgw.limits.bucket import Bucket
from clawgw.limits.budgets import budgets
from tests.ledger.records import document
from tests.scripted_upstream import SILENT, Reply
from tests.test_gateway import END, ROLE, chat, chunk, completion, error_reply
from tests.test_gateway_limits import LEAVER, Setting, config, setting

JANUARY_2027_MS = 1_798_761_600_000
"""All requests are of 2027-01-15."""
MUCH = "budget = { usd = 1000, per = 'month' }"
STREAM = Reply(body=[ROLE, chunk({"content": "hello"}), *END])
ANSWERS: Mapping[str, Reply] = {
    "whole": completion(prompt_tokens=7_001, completion_tokens=333),
    "little": completion(prompt_tokens=1, completion_tokens=1),
    "streamed": STREAM,
    "left": Reply(body=LEAVER),
    "silent": SILENT,
    "broken": error_reply(500),
    "without end": Reply(body=[ROLE, chunk({"content": "one two three"})]),
}
TEXT = config(
    MUCH,
    f"{MUCH}\nkey_{MUCH}",
    f"""{MUCH}
[limits.labels."team:search"]
{MUCH}
[prices."one/m"]
input = 0.0375
output = 0.0123
""",
)


async def ask(s: Setting, key: str, model: str, *, stream: bool) -> None:
    """Whatever comes of it, within a minute."""
    with trio.move_on_after(60):
        try:
            answer = await s.answer(chat(model, stream=stream), key)
        except GatewayError:
            return
        if isinstance(answer, PlainAnswer):
            return
        try:
            with trio.move_on_after(5):
                while await answer.receive():
                    pass
        finally:
            answer.close()


def charged(s: Setting, bucket: Bucket) -> int:
    standing = s.gateway.live.limiter.store.peek(bucket)
    assert standing is not None
    return bucket.limit - standing.remaining


REQUESTS = st.tuples(
    st.sampled_from(["alice", "bob"]),
    st.sampled_from(["one/m", "two/m", "both", "race"]),
    st.sampled_from(sorted(ANSWERS)),
    st.sampled_from(sorted(ANSWERS)),
)


@settings(deadline=None, max_examples=50)
@given(st.lists(REQUESTS, min_size=1, max_size=6))
def test_sums_of_records_are_what_was_settled(requests: list[tuple[str, str, str, str]]) -> None:
    async def serve() -> tuple[Setting, dict[Bucket, int]]:
        answers: dict[str, Reply] = {}

        def script(call: Call) -> Reply:
            return answers[call.url.split("/")[2].split(".")[0]]

        s = setting(TEXT, script)
        for key, model, one, two in requests:
            answers |= {"one": ANSWERS[one], "two": ANSWERS[two]}
            await ask(s, key, model, stream={one, two} <= {"streamed", "left", "without end", "silent", "broken"})
        return s, {each: charged(s, each) for each in budgets(s.gateway.live.snapshot)}

    s, used = trio.run(serve, clock=MockClock(autojump_threshold=0))
    assert len(s.records) == len(requests)
    with TemporaryDirectory() as folder:
        sink = SqliteSink(Database(Path(folder) / "clawgw.db"), now_ms=lambda: JANUARY_2027_MS)
        sink.deliver([document(record) for record in s.records])
        sink.close()
        found = spending(sink.database.path, Spool(Path(folder)), [JANUARY_2027_MS]).since[JANUARY_2027_MS]
    assert {bucket.scope for bucket in used} == {"key", "label", "route", "provider", "provider_key"}
    assert used == {bucket: found.get(Spender(bucket.scope, bucket.name), 0) for bucket in used}
