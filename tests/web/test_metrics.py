import pytest
from prometheus_client.parser import text_string_to_metric_families

from clawgw.ledger.record import AttemptRecord, RequestRecord
from clawgw.policy import BreakerState, Target
from clawgw.web.exposition import Reloads
from clawgw.web.metrics import Metrics

STATES: list[tuple[str, BreakerState]] = [("a", "closed"), ("b", "open"), ("c", "half_open")]


def label(target: Target) -> str:
    return target.model if target.model == "known" else "other"


def record(**changes: object) -> RequestRecord:
    facts: dict[str, object] = {
        "request_id": "req_1",
        "at_ms": 0,
        "endpoint": "chat.completions",
        "outcome": "ok",
        "status": 200,
        "config_version": "v1",
        "duration_ms": 1500.0,
        "upstream_ms": 1490.0,
        "route": "fast",
        "provider": "openai",
        "model": "known",
        **changes,
    }
    return RequestRecord(**facts)  # type: ignore[arg-type] # a table of made-up values


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text, content_type = metrics.exposition("")
    assert content_type.startswith("text/plain")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return samples(metrics).get((f"clawgw_{name}", frozenset(labels.items())))


def test_what_came_from_the_cache_says_nothing_of_a_provider() -> None:
    metrics = Metrics(label, "v1")
    metrics.request_ended(record(cache="hit", prompt_tokens=7, completion_tokens=2, first_token_ms=1.0, cost_pico=0))
    labels = {"provider": "openai", "model": "known"}
    counted = {"endpoint": "chat.completions", "route": "fast", "status": "200"}
    assert value(metrics, "requests_total", **labels, **counted) == 1
    assert value(metrics, "tokens_total", **labels, kind="prompt") is None
    assert value(metrics, "time_to_first_token_seconds_count", **labels) is None


def test_a_request_from_start_to_end() -> None:
    metrics = Metrics(label, "v1")
    assert value(metrics, "in_flight") == 0
    metrics.request_started("chat.completions")
    assert value(metrics, "in_flight") == 1
    metrics.request_ended(record(first_token_ms=300.0))
    assert value(metrics, "in_flight") == 0
    names = {"endpoint": "chat.completions", "route": "fast", "provider": "openai", "model": "known"}
    assert value(metrics, "requests_total", **names, status="200") == 1
    assert value(metrics, "request_duration_seconds_sum", endpoint="chat.completions") == 1.5
    assert value(metrics, "time_to_first_token_seconds_sum", provider="openai", model="known") == 0.3
    overhead = value(metrics, "overhead_seconds_sum", endpoint="chat.completions")
    assert overhead == pytest.approx(0.01)


def test_the_configuration_has_its_version() -> None:
    assert value(Metrics(label, "abc"), "config_info", version="abc") == 1


def test_another_configuration_takes_its_place() -> None:
    metrics = Metrics(label, "old")
    metrics.request_ended(record(model="a"))
    metrics.configured(lambda target: target.model, "new")
    metrics.request_ended(record(model="b"))
    assert (value(metrics, "config_info", version="old"), value(metrics, "config_info", version="new")) == (None, 1)
    names = {"endpoint": "chat.completions", "route": "fast", "provider": "openai", "status": "200"}
    counts = [value(metrics, "requests_total", **names, model=model) for model in ("other", "a", "b")]
    assert counts == [1, None, 1]


def test_reloads() -> None:
    metrics = Metrics(label, "v1")
    assert [value(metrics, "reloads_total", result=result) for result in ("ok", "failed")] == [0, 0]
    metrics.note_reloads(Reloads(ok=2, failed=1))
    assert [value(metrics, "reloads_total", result=result) for result in ("ok", "failed")] == [2, 1]


def test_of_the_breakers_behind_one_label_the_worst_is_shown() -> None:
    metrics = Metrics(label, "v1")
    made_up = [(Target("groq", name), state) for name, state in STATES]
    metrics.note_breakers([(Target("openai", "known"), "half_open"), *made_up])
    assert value(metrics, "breaker_state", provider="openai", model="known") == 1
    assert value(metrics, "breaker_state", provider="groq", model="other") == 2
    metrics.note_breakers([])
    assert value(metrics, "breaker_state", provider="groq", model="other") == 0


def test_nothing_waited_for_is_no_negative_overhead() -> None:
    metrics = Metrics(label, "v1")
    metrics.request_ended(record(duration_ms=1.0, upstream_ms=2.0))
    assert value(metrics, "overhead_seconds_sum", endpoint="chat.completions") == 0


def test_tokens_by_kind() -> None:
    metrics = Metrics(label, "v1")
    for _ in range(2):
        metrics.request_ended(record(prompt_tokens=10, cached_tokens=4, completion_tokens=7, reasoning_tokens=0))
    kinds = {
        kind: value(metrics, "tokens_total", provider="openai", model="known", kind=kind)
        for kind in ("prompt", "cached", "completion", "reasoning")
    }
    assert kinds == {"prompt": 20, "cached": 8, "completion": 14, "reasoning": None}


def test_attempts() -> None:
    metrics = Metrics(label, "v1")
    failed = AttemptRecord(Target("groq", "made up"), "primary", 0, 1, "failed")
    won = AttemptRecord(Target("openai", "known"), "failover", 1, 2, "won")
    metrics.request_ended(record(attempts=[failed, won]))
    assert value(metrics, "attempts_total", target="groq/other", trigger="primary", outcome="failed") == 1
    assert value(metrics, "attempts_total", target="openai/known", trigger="failover", outcome="won") == 1


def test_keys_that_somebody_has_to_look_at() -> None:
    metrics = Metrics(label, "v1")
    codes = ["auth", "auth", "quota", "server", None]
    failed = [AttemptRecord(Target("groq", "m"), "retry", 0, 1, "failed", error_code=code) for code in codes]
    metrics.request_ended(record(attempts=failed))
    reasons = ("auth", "quota", "server")
    counts = [value(metrics, "keys_refused_total", provider="groq", reason=reason) for reason in reasons]
    assert counts == [2, 1, None]


def test_what_attempts_cost_by_key_and_those_without_a_price() -> None:
    metrics = Metrics(label, "v1")
    lost = AttemptRecord(Target("groq", "known"), "race", 0, 1, "lost", prompt_tokens=3, cost_pico=250_000_000_000)
    won = AttemptRecord(Target("openai", "known"), "race", 0, 2, "won", prompt_tokens=3, cost_pico=10**12)
    free = AttemptRecord(Target("echo", "known"), "race", 0, 2, "won", prompt_tokens=3, cost_pico=0)
    unpriced = AttemptRecord(Target("corp", "known"), "race", 0, 2, "won", prompt_tokens=3)
    silent = AttemptRecord(Target("mute", "known"), "race", 0, 2, "cancelled")
    metrics.request_ended(record(attempts=[lost, won, free], key="alice"))
    metrics.request_ended(record(attempts=[won, unpriced, silent]))
    costs = {
        (provider, key): value(metrics, "cost_usd_total", provider=provider, model="known", key=key)
        for provider, key in [("groq", "alice"), ("openai", "alice"), ("openai", ""), ("echo", "alice"), ("corp", "")]
    }
    assert list(costs.values()) == [0.25, 1.0, 1.0, 0.0, None]
    unknown = [value(metrics, "price_unknown_total", provider=p, model="known") for p in ("corp", "mute", "openai")]
    assert unknown == [1, None, None]


def test_a_model_that_a_client_made_up_is_other() -> None:
    metrics = Metrics(label, "v1")
    for number in range(100):
        metrics.request_ended(record(model=f"made-up-{number}", route=None))
    names = {"endpoint": "chat.completions", "route": "", "provider": "openai", "model": "other"}
    assert value(metrics, "requests_total", **names, status="200") == 100
    assert "made-up" not in metrics.exposition("")[0].decode()


def test_requests_that_were_refused_at_the_door() -> None:
    metrics = Metrics(label, "v1")
    metrics.refused("embeddings", 413)
    names = {"endpoint": "embeddings", "route": "", "provider": "", "model": ""}
    assert value(metrics, "requests_total", **names, status="413") == 1


def test_a_request_that_resolved_to_nothing() -> None:
    metrics = Metrics(label, "v1")
    metrics.request_ended(record(provider=None, model=None, route=None, status=404))
    names = {"endpoint": "chat.completions", "route": "", "provider": "", "model": ""}
    assert value(metrics, "requests_total", **names, status="404") == 1
