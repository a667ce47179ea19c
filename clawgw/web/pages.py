"""What the small pages say: health, readiness, providers, models. Pure; `web.cold` sends it."""

from collections.abc import Iterator
from typing import Any

from clawgw import __version__
from clawgw.config.callers import Caller
from clawgw.engine.provider import LiveProvider
from clawgw.errors import ModelNotFound
from clawgw.policy import BreakerState, Target, TargetView
from clawgw.routing.resolve import listed_models
from clawgw.web.service import Service


def health(service: Service) -> dict[str, Any]:
    """Liveness: this process answers."""
    status = "draining" if service.draining else "ok"
    return {"status": status, "version": __version__, "config": service.snapshot.version}


def complaints(service: Service) -> list[str]:
    """Why no more requests should be sent here; empty: it is ready."""
    if service.draining:
        return ["draining: the gateway is being stopped"]
    if service.limits.refuses:
        return [str(service.limits.degraded)]
    providers = service.snapshot.providers.values()
    if any(provider.not_ready is None for provider in providers):
        return []
    return [f"{provider.name}: {provider.not_ready}" for provider in providers] or ["no provider is configured"]


def providers(service: Service, now: float) -> dict[str, Any]:
    """Each provider and what this worker knows of it. No key, no URL. `now`: seconds of the engine's clock."""
    data = [_provider(live, now) for live in service.gateway.live.providers.values()]
    return {"object": "list", "scope": "worker", "data": data}


def breakers(service: Service, now: float) -> Iterator[tuple[Target, BreakerState]]:
    """The state of every breaker of this worker."""
    for name, live in service.gateway.live.providers.items():
        for model, state in live.health.breaker_states(now).items():
            yield Target(name, model), state


def note_state(service: Service, now: float) -> None:
    """Have the metrics show how this worker's breakers and limits are."""
    service.metrics.note_breakers(breakers(service, now))
    service.metrics.note_limits(degraded=service.limits.degraded is not None)


def models(service: Service, caller: Caller) -> dict[str, Any]:
    """OpenAI's list of models (platform.openai.com/docs/api-reference/models/list), of those the caller may use."""
    return {"object": "list", "data": _models(service, caller)}


def model(service: Service, caller: Caller, model_id: str) -> dict[str, Any]:
    """One of them. Raises `ModelNotFound`."""
    for row in _models(service, caller):
        if row["id"] == model_id:
            return row
    raise ModelNotFound("no such model: GET /v1/models lists them all", param="model")


def _models(service: Service, caller: Caller) -> list[dict[str, Any]]:
    live = service.gateway.live
    return [row for row in listed_models(live.snapshot, live.catalogue) if caller.may_use(row["id"])]


def _provider(live: LiveProvider, now: float) -> dict[str, Any]:
    return {
        "object": "provider",
        "id": live.ready.name,
        "wire": live.ready.wire,
        "ready": live.ready.not_ready is None,
        "reason": live.ready.not_ready,
        "in_flight": live.in_flight,
        "targets": [_target(live, model, now) for model in live.health.breaker_states(now)],
    }


def _target(live: LiveProvider, model: str, now: float) -> dict[str, Any]:
    """A model that was asked. `p50_s` and `p95_s`: time to the first token of streams over the last minute."""
    view = live.health.view(TargetView(Target(live.ready.name, model)), now, streaming=True)
    return {
        "model": model,
        "breaker": view.breaker,
        "cooling_s": view.cooling_s,
        "in_flight": view.in_flight,
        "p50_s": view.p50_s,
        "p95_s": view.p95_s,
    }
