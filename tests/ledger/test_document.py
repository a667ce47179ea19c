import orjson
import pytest
from attrs import evolve

from clawgw.ledger.document import begins, epoch_ms, finished, iso_utc, joined, texts, unfinished, without_bodies
from clawgw.ledger.record import DROPPED, AttemptRecord, Bodies, Opening, RequestRecord
from clawgw.policy import Target
from tests.ledger.records import begun, document

ATTEMPT = AttemptRecord(
    target=Target("openai", "gpt-6"),
    trigger="primary",
    started_ms=0.5,
    first_token_ms=120.25,
    ended_ms=300.12345,
    outcome="won",
    status=200,
    prompt_tokens=10,
    completion_tokens=5,
    usage_source="reported",
    cost_pico=1_500_000,
    provider_key="0123456789abcdef",
)
RECORD = RequestRecord(
    request_id="req_1",
    at_ms=1_795_439_736_042,
    endpoint="chat.completions",
    outcome="ok",
    status=200,
    config_version="abc",
    duration_ms=301.0,
    client_request_id="mine",
    key="team",
    labels={"tier": "gold"},
    route="smart",
    stream=True,
    user="u1",
    metadata={"job": "7"},
    provider="openai",
    model="gpt-6",
    finish_reason="stop",
    prompt_tokens=10,
    cached_tokens=2,
    completion_tokens=5,
    reasoning_tokens=1,
    usage_source="reported",
    cost_pico=1_500_000,
    first_token_ms=120.25,
    attempts=(ATTEMPT,),
)


def test_every_field_under_its_name() -> None:
    assert document(RECORD) == {
        "request_id": "req_1",
        "client_request_id": "mine",
        "at": "2026-11-23T13:15:36.042Z",
        "key": "team",
        "labels": {"tier": "gold"},
        "user": "u1",
        "metadata": {"job": "7"},
        "endpoint": "chat.completions",
        "route": "smart",
        "stream": True,
        "config_version": "abc",
        "outcome": "ok",
        "status": 200,
        "error_code": None,
        "provider": "openai",
        "model": "gpt-6",
        "finish_reason": "stop",
        "prompt_tokens": 10,
        "cached_tokens": 2,
        "completion_tokens": 5,
        "reasoning_tokens": 1,
        "usage_source": "reported",
        "cost_usd": 0.0000015,
        "cost_pico": 1_500_000,
        "cache": None,
        "first_token_ms": 120.25,
        "duration_ms": 301.0,
        "attempts": [
            {
                "target": "openai/gpt-6",
                "trigger": "primary",
                "started_ms": 0.5,
                "first_token_ms": 120.25,
                "ended_ms": 300.123,
                "outcome": "won",
                "status": 200,
                "error_code": None,
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "usage_source": "reported",
                "cost_usd": 0.0000015,
                "cost_pico": 1_500_000,
                "provider_key": "0123456789abcdef",
            }
        ],
    }


def test_what_has_become_of_bodies_is_told_where_they_are_wanted() -> None:
    kept = Bodies('{"a":1}', None)
    assert "bodies" not in document(RECORD)
    assert document(evolve(RECORD, bodies=kept)) == document(RECORD) | {"bodies": "kept"}
    assert document(evolve(RECORD, bodies=DROPPED)) == document(RECORD) | {"bodies": "dropped"}
    assert orjson.loads(texts(kept)) == {"request_body": '{"a":1}', "response_body": None}


def test_a_document_without_its_bodies_says_so() -> None:
    bodies = Bodies('{"a":1}', "{}")
    whole = document(evolve(RECORD, bodies=bodies)) | orjson.loads(texts(bodies))
    assert without_bodies(whole) == document(RECORD) | {"bodies": "dropped"}


def test_what_nobody_knows_is_null() -> None:
    unknown = document(begun("req_2", at_ms=0))
    assert unknown["outcome"] == "unknown"
    assert {name for name, value in unknown.items() if value is None} >= {"status", "duration_ms", "cost_usd"}
    assert unknown["at"] == "1970-01-01T00:00:00.000Z"


def test_no_integer_is_larger_than_stores_take() -> None:
    attempt = evolve(ATTEMPT, prompt_tokens=2**63, cost_pico=2**63 - 1)
    huge = document(evolve(RECORD, prompt_tokens=2**64, cost_pico=10**30, attempts=(ATTEMPT, attempt)))
    assert huge["prompt_tokens"] == huge["cost_pico"] == 9_223_372_036_854_775_807
    assert huge["attempts"][1]["prompt_tokens"] == huge["attempts"][1]["cost_pico"] == 9_223_372_036_854_775_807
    assert (huge["completion_tokens"], huge["stream"], huge["duration_ms"]) == (5, True, 301.0)
    assert huge["attempts"][0] == document(RECORD)["attempts"][0]


def test_what_is_known_at_the_beginning_is_told_in_the_end() -> None:
    start = begins(Opening(*[getattr(RECORD, name) for name in Opening._fields]))
    assert orjson.loads(finished(start, RECORD)) == document(RECORD)
    assert orjson.loads(unfinished(start)).keys() == document(RECORD).keys()


def test_members_of_two_objects_are_those_of_one() -> None:
    assert joined(b'{"a":1}', b'{"b":{"c":[]}}') == b'{"a":1,"b":{"c":[]}}'


def test_a_time_is_read_back_as_it_was() -> None:
    assert epoch_ms(iso_utc(1_795_439_736_042)) == 1_795_439_736_042


@pytest.mark.parametrize(
    ("ms", "shown"),
    [(0.0, 0.0), (0.0004, 0.0), (0.0006, 0.001), (1.001, 1.001), (4.35, 4.35), (86_400_000.1234, 86_400_000.123)],
)
def test_times_are_told_to_the_microsecond(ms: float, shown: float) -> None:
    assert document(evolve(RECORD, duration_ms=ms))["duration_ms"] == shown
