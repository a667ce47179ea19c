"""The order in which a model name is claimed, and what is listed."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from clawgw.config.settings import Settings
from clawgw.config.snapshot import ReadyProvider, ReadyRoute, Snapshot
from clawgw.config.tables.providers import Timeouts
from clawgw.config.tables.routes import Defaults
from clawgw.errors import ModelNotFound
from clawgw.policy import Target
from clawgw.routing.catalogue import Catalogue
from clawgw.routing.resolve import Resolved, listed_models, resolve

CATALOGUE = Catalogue(
    {
        "openai": {"gpt-6-luna": {}, "shared": {}},
        "anthropic": {"claude-haiku-5-5": {}, "shared": {}},
        "google": {"gemini-3.8-flash": {}, "shared": {}},
        "groq": {"openai/gpt-oss-120b": {}},
        "echo": {"echo": {}},
    }
)
CHAT = "chat.completions"


def provider(name: str, not_ready: str | None = None, default_model: str | None = None) -> ReadyProvider:
    model = default_model if default_model is not None else f"{name}-default"
    return ReadyProvider(
        name, "openai", "https://example.com", (), Timeouts(), default_model=model or None, not_ready=not_ready
    )


def snapshot(
    *providers: str | ReadyProvider, routes: Iterable[ReadyRoute] = (), defaults: Mapping[str, Any] | None = None
) -> Snapshot:
    ready = [provider(each) if isinstance(each, str) else each for each in (*providers, "echo")]
    return Snapshot(
        "0123456789ab",
        Settings(defaults=Defaults(**(defaults or {}))),
        {each.name: each for each in ready},
        {route.name: route for route in routes},
    )


def resolved(model: str, config: Snapshot, endpoint: str = CHAT) -> Resolved:
    return resolve(model, endpoint, config, CATALOGUE)


def targets(model: str, config: Snapshot, endpoint: str = CHAT) -> list[str]:
    return [str(target) for target in resolved(model, config, endpoint).targets]


def not_found(model: str, config: Snapshot) -> str:
    with pytest.raises(ModelNotFound) as caught:
        resolved(model, config)
    assert (caught.value.status, caught.value.code, caught.value.param) == (404, "model_not_found", "model")
    return caught.value.message


def route(name: str, *to: str, **rest: Any) -> ReadyRoute:
    return ReadyRoute(name, tuple(Target(*target.split("/", 1)) for target in to), **rest)


def test_a_route_brings_its_own_numbers() -> None:
    fast = route("fast", "groq/g", "openai/o", max_attempts=2, failover_after_s=1.5, deadline_s=20.0)
    assert resolved("fast", snapshot("openai", "groq", routes=[fast])) == Resolved(
        (Target("groq", "g"), Target("openai", "o")), "fast", 2, 1.5, 20.0, claim="route"
    )


def test_without_a_route_the_defaults_of_routes_apply() -> None:
    assert resolved("openai/x", snapshot("openai")) == Resolved(
        (Target("openai", "x"),), route=None, max_attempts=3, failover_after_s=4.0, deadline_s=600.0
    )


def test_a_route_comes_before_provider_and_model_and_before_the_catalogue() -> None:
    config = snapshot("openai", "groq", routes=[route("openai/x", "groq/a"), route("gpt-6-luna", "groq/b")])
    assert targets("openai/x", config) == ["groq/a"]
    assert targets("gpt-6-luna", config) == ["groq/b"]


def test_the_exact_route_then_the_longest_prefix() -> None:
    names = ["*", "gpt-*", "gpt-6-*", "gpt-6-luna"]
    config = snapshot("openai", routes=[route(name, f"openai/{number}") for number, name in enumerate(names)])
    assert targets("gpt-6-luna", config) == ["openai/3"]
    assert targets("gpt-6-astra", config) == ["openai/2"]
    assert targets("gpt-6-", config) == ["openai/2"]
    assert targets("gpt-6", config) == ["openai/1"]
    assert targets("anything", config) == ["openai/0"]


def test_a_star_target_is_the_clients_own_model() -> None:
    config = snapshot("openai", "openrouter", routes=[route("gpt-*", "openai/*", "openrouter/openai/*")])
    result = resolved("gpt-9", config)
    assert [str(target) for target in result.targets] == ["openai/gpt-9", "openrouter/openai/*"]
    assert result.route == "gpt-*"


@pytest.mark.parametrize(
    ("model", "target"),
    [
        ("openai/gpt-9", "openai/gpt-9"),
        ("google/g", "google/g"),
        ("gemini/g", "google/g"),
        ("groq/openai/gpt-oss-120b", "groq/openai/gpt-oss-120b"),
        ("keyless/m", "keyless/m"),
    ],
)
def test_provider_and_model(model: str, target: str) -> None:
    config = snapshot("openai", "google", "groq", provider("keyless", not_ready="no key: set KEY"))
    assert targets(model, config) == [target]


def test_a_slash_may_be_part_of_a_models_own_name() -> None:
    assert targets("openai/gpt-oss-120b", snapshot("groq")) == ["groq/openai/gpt-oss-120b"]
    assert "not known" in not_found("openai/", snapshot("openai"))


def test_the_catalogue_knows_whose_model_it_is() -> None:
    config = snapshot("openai", "anthropic", defaults={"provider": "openai"})
    assert targets("claude-haiku-5-5", config) == ["anthropic/claude-haiku-5-5"]
    assert targets("claude-haiku-5-5-20261001", config) == ["anthropic/claude-haiku-5-5-20261001"]
    assert targets("echo", config) == ["echo/echo"]


@pytest.mark.parametrize(
    ("defaults", "chosen"),
    [
        ({}, "openai"),
        ({"provider": "gemini"}, "google"),
        ({"provider": "groq", "fallback_providers": ("groq", "gemini", "openai")}, "google"),
        ({"provider": "anthropic", "fallback_providers": ("anthropic",)}, "openai"),
    ],
)
def test_of_several_that_know_it(defaults: Mapping[str, Any], chosen: str) -> None:
    """In file order groq, which does not know it; anthropic, which is not ready; then openai and google."""
    config = snapshot("groq", provider("anthropic", not_ready="no key"), "openai", "google", defaults=defaults)
    assert targets("shared", config)[0] == f"{chosen}/shared"


@pytest.mark.parametrize(
    ("model", "claim"),
    [("fast", "route"), ("openai/gpt-6-luna", "provider"), ("gpt-6-luna", "catalogue"), ("anything", "default")],
)
def test_it_says_what_claimed_the_name(model: str, claim: str) -> None:
    config = snapshot("openai", routes=[route("fast", "openai/o")], defaults={"provider": "openai"})
    assert resolved(model, config).claim == claim


def test_the_default_provider_takes_what_nobody_claims() -> None:
    config = snapshot("openai", "google", defaults={"provider": "gemini"})
    assert targets("gpt-99", config) == ["google/gpt-99"]


def test_a_default_provider_that_is_not_ready_is_still_the_default() -> None:
    config = snapshot(provider("openai", not_ready="no key"), defaults={"provider": "openai"})
    assert targets("gpt-99", config) == ["openai/gpt-99"]


def test_echo_answers_for_all_while_no_other_provider_is_ready() -> None:
    assert targets("gpt-6-luna", snapshot(provider("openai", not_ready="no key"))) == ["echo/gpt-6-luna"]
    assert "not known" in not_found("gpt-99", snapshot("openai"))


FALLBACKS = {"provider": "openai", "fallback_providers": ("gemini", "openai", "keyless", "bare", "absent", "groq")}


def with_fallbacks() -> Snapshot:
    return snapshot(
        "openai",
        "google",
        provider("keyless", not_ready="no key"),
        provider("bare", default_model=""),
        "groq",
        routes=[route("fast", "groq/g")],
        defaults=FALLBACKS,
    )


@pytest.mark.parametrize("endpoint", ["chat.completions", "completions"])
@pytest.mark.parametrize("model", ["gpt-6-luna", "gpt-99"])
def test_fallback_providers_follow_with_their_own_models(model: str, endpoint: str) -> None:
    result = resolved(model, with_fallbacks(), endpoint)
    assert [str(target) for target in result.targets] == [
        f"openai/{model}",
        "google/google-default",
        "groq/groq-default",
    ]
    assert result.has_fallbacks


@pytest.mark.parametrize(
    ("model", "endpoint"), [("gpt-6-luna", "embeddings"), ("fast", CHAT), ("openai/gpt-6-luna", CHAT)]
)
def test_no_fallbacks_for_embeddings_routes_and_named_providers(model: str, endpoint: str) -> None:
    result = resolved(model, with_fallbacks(), endpoint)
    assert len(result.targets) == 1
    assert not result.has_fallbacks


def test_what_is_not_found_is_explained() -> None:
    config = snapshot(
        "openai", provider("anthropic", not_ready="no key: set ANTHROPIC_API_KEY"), routes=[route("gpt-fast")]
    )
    message = not_found("gpt-6-lunna", config)
    assert message == (
        "The model `gpt-6-lunna` is not known here. Did you mean `gpt-6-luna`? Name a route or provider/model"
        " (ready providers: openai, echo); GET /v1/models lists what there is."
    )
    assert "anthropic has it, but is not ready (no key: set ANTHROPIC_API_KEY)." in not_found(
        "claude-haiku-5-5", config
    )
    assert "`gpt-fast`" in not_found("gpt-fats", config)
    assert "Did you mean" not in not_found("zzz", config)


def test_an_empty_name_is_not_found() -> None:
    not_found("", snapshot("openai"))


def test_the_list_holds_routes_then_the_models_of_ready_providers() -> None:
    config = snapshot(
        "groq",
        provider("corp", default_model="llama"),
        provider("bare", default_model=""),
        provider("openai", not_ready="no key"),
        routes=[route("fast", "groq/g"), route("gpt-*", "groq/*")],
    )
    listed = listed_models(config, CATALOGUE)
    assert [(model["id"], model["owned_by"]) for model in listed] == [
        ("fast", "clawgw"),
        ("groq/openai/gpt-oss-120b", "groq"),
        ("corp/llama", "corp"),
        ("echo/echo", "echo"),
    ]
    assert all(model["object"] == "model" and type(model["created"]) is int for model in listed)


def test_everything_that_is_listed_resolves() -> None:
    config = with_fallbacks()
    for model in listed_models(config, CATALOGUE):
        assert resolved(model["id"], config).targets


def test_a_target_that_is_left_keeps_its_weight() -> None:
    drawn = route("drawn", "groq/g", "openai/o", "groq/h", weights=(3.0, 2.0, 1.0))
    found = resolved("drawn", snapshot("openai", "groq", routes=[drawn]))
    left = found.only([Target("groq", "h"), Target("groq", "g")])
    assert (left.targets, left.weights) == ((Target("groq", "g"), Target("groq", "h")), (3.0, 1.0))
    assert found.only(found.targets) == found


def test_where_there_are_no_weights_there_are_none_left() -> None:
    found = resolved("fast", snapshot("openai", "groq", routes=[route("fast", "groq/g", "openai/o")]))
    assert found.only(found.targets[:1]).weights is None
