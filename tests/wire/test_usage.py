from typing import Any

import pytest

from clawgw.wire.usage import Particulars, Usage, reported_cost, usage_from_body, usage_from_counts


def test_counts_become_openai_s_usage_object() -> None:
    usage = usage_from_counts(100, 50, cached=40, cache_write=10, reasoning=30)
    assert usage == Usage(100, 50, 40, 10, 30, usage.body)
    assert usage.body == {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 10},
        "completion_tokens_details": {"reasoning_tokens": 30},
    }


def test_cache_writes_are_named_only_where_there_are_any() -> None:
    assert usage_from_counts(1, 2).body["prompt_tokens_details"] == {"cached_tokens": 0}


def test_openai_s_own_usage_is_read_and_kept() -> None:
    body = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 10, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 30},
        "system": "else",
    }
    assert usage_from_body(body) == Usage(100, 50, 40, 10, 30, body)


def test_what_a_bill_depends_on_besides_is_read_from_openai_s_shape() -> None:
    body = {
        "prompt_tokens_details": {"audio_tokens": 7},
        "completion_tokens_details": {"audio_tokens": 5, "image_tokens": 3},
        "prompt_audio_seconds": 4,
        "cost": 0.25,
    }
    assert usage_from_body(body, "flex").particulars == Particulars(
        audio_prompt=7, audio_completion=5, image_completion=3, audio_seconds=4, service_tier="flex", cost_usd=0.25
    )


@pytest.mark.parametrize("word", ["", "default", "standard", "on_demand", "auto", "scale", "anything"])
def test_the_usual_service_tier_has_no_name(word: str) -> None:
    assert usage_from_body({}, word).particulars == Particulars()


@pytest.mark.parametrize(
    ("said", "cost"),
    [
        ({"cost": 0}, 0.0),
        ({"cost": 0.5, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.5}}, 0.5),
        ({"cost": 0.25, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.5}}, 0.75),
        ({"cost": 0.25, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, 0.25),
        ({"cost": 0.25, "is_byok": True}, 0.25),
        ({"cost": None}, None),
        ({"cost": -1}, None),
        ({"cost": 1.7e308}, None),
        ({"cost": 0.25, "is_byok": True, "cost_details": {"upstream_inference_cost": 1.7e308}}, 0.25),
        ({"cost": True}, None),
        ({"cost": "0.5"}, None),
        ({"cost": {"total_cost": 0.5}}, None),
        ({}, None),
    ],
)
def test_the_reported_cost_is_what_the_answer_came_to(said: dict[str, Any], cost: float | None) -> None:
    assert reported_cost(said) == cost


@pytest.mark.parametrize("field", ["cached_tokens", "prompt_cache_hit_tokens"])
def test_cached_tokens_on_the_top_level_are_put_in_their_place(field: str) -> None:
    usage = usage_from_body({"prompt_tokens": 10, "completion_tokens": 1, field: 8})
    assert usage.cached == 8
    assert usage.body == {
        "prompt_tokens": 10,
        "completion_tokens": 1,
        "total_tokens": 11,
        field: 8,
        "prompt_tokens_details": {"cached_tokens": 8},
    }


@pytest.mark.parametrize("body", [{}, {"prompt_tokens": None, "prompt_tokens_details": None}, {"prompt_tokens": "5"}])
def test_counts_that_are_missing_are_0(body: dict[str, Any]) -> None:
    usage = usage_from_body(body)
    assert (usage.prompt, usage.completion, usage.cached) == (0, 0, 0)
    assert (usage.body["prompt_tokens"], usage.body["total_tokens"]) == (0, 0)


@pytest.mark.parametrize(
    "said",
    [
        {"prompt_token_details": {"cached_tokens": 64}},
        {"prompt_tokens_details": None, "prompt_token_details": {"cached_tokens": 64}},
    ],
)
def test_mistral_s_older_name_for_the_details_is_read(said: dict[str, Any]) -> None:
    usage = usage_from_body({"prompt_tokens": 100, "completion_tokens": 1, "total_tokens": 101, **said})
    assert usage.cached == 64
    assert usage.body["prompt_tokens_details"] == {"cached_tokens": 64}


def test_what_mistral_only_says_on_the_top_is_passed_on_and_not_billed_as_cached() -> None:
    usage = usage_from_body({"prompt_tokens": 100, "completion_tokens": 1, "num_cached_tokens": 64})
    assert usage.cached == 0
    assert usage.body["num_cached_tokens"] == 64


def test_a_count_may_be_written_with_a_point() -> None:
    said = {"prompt_tokens": 100.0, "completion_tokens": 5.0, "completion_tokens_details": {"reasoning_tokens": 2.0}}
    usage = usage_from_body({**said, "total_tokens": 105.0, "total_time": 0.25})
    assert (usage.prompt, usage.completion, usage.reasoning) == (100, 5, 2)
    assert usage.body["total_time"] == 0.25
