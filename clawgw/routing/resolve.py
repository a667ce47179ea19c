"""Which targets a model name means.

In this order, the first that applies:

1. a route: by its exact name, else the route `prefix*` with the longest prefix. A target `provider/*` of a route stands
   for the client's own model name at that provider;
2. `provider/model`, where that provider is configured;
3. a model that the catalogue knows for a ready provider; of several, the default provider, then the fallback providers
   in order, then the first of the file;
4. `[defaults].provider`, the name passed on unchanged. Without one, echo, as long as no other provider is ready;
5. otherwise `ModelNotFound`.

Only names of kind 3 and 4 are backed by `fallback_providers`, each with its own default model, and never for
embeddings: two models' vectors do not mix.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal

from attrs import evolve, frozen

from clawgw.config.known import canonical
from clawgw.config.snapshot import ReadyProvider, ReadyRoute, Snapshot
from clawgw.config.tables import routes
from clawgw.errors import ModelNotFound
from clawgw.policy import Target
from clawgw.routing.catalogue import Catalogue

_ECHO = "echo"
_CLIENTS_MODEL = "*"
_PLAIN = routes.Route(targets=())

Claim = Literal["route", "provider", "catalogue", "default"]
"""Which of the kinds 1 to 4 a name is of."""


@frozen
class Resolved:
    """What a name means. `route` is None where no route was named; then a route's defaults apply.

    `has_fallbacks`: targets of `fallback_providers` follow the one that was meant. `window` is the smallest context
    window of the targets, in tokens. `weights`: one a target; None: the route names none.
    """

    targets: tuple[Target, ...]
    route: str | None = None
    max_attempts: int = _PLAIN.max_attempts
    failover_after_s: float = _PLAIN.failover_after_s
    deadline_s: float = _PLAIN.deadline_s
    has_fallbacks: bool = False
    claim: Claim = "provider"
    window: float = math.inf
    weights: Sequence[float] | None = None

    def only(self, kept: Collection[Target]) -> "Resolved":
        """The same without the other targets and their weights."""
        weights = self.weights and tuple(
            weight for target, weight in zip(self.targets, self.weights, strict=True) if target in kept
        )
        return evolve(self, targets=tuple(target for target in self.targets if target in kept), weights=weights)


def resolve(model: str, endpoint: str, snapshot: Snapshot, catalogue: Catalogue) -> Resolved:
    """The targets of a checked request's `model`, in order, at least one. Raises `ModelNotFound`.

    Targets may be providers that are not ready, where they were named.
    """
    resolved = _resolved(model, endpoint, snapshot, catalogue)
    return evolve(resolved, window=min(catalogue.window(target) for target in resolved.targets))


def _resolved(model: str, endpoint: str, snapshot: Snapshot, catalogue: Catalogue) -> Resolved:
    if route := _route(model, snapshot.routes):
        return _routed(route, model)
    if target := _named_target(model, snapshot):
        return Resolved((target,))
    knowing = _knowing_provider(model, snapshot, catalogue)
    provider = knowing or _default_provider(snapshot)
    if provider is None:
        raise ModelNotFound(_not_found(model, snapshot, catalogue), param="model")
    fallbacks = () if endpoint == "embeddings" else tuple(_fallbacks(provider, snapshot))
    claim: Claim = "catalogue" if knowing else "default"
    return Resolved((Target(provider, model), *fallbacks), has_fallbacks=bool(fallbacks), claim=claim)


def listed_models(snapshot: Snapshot, catalogue: Catalogue) -> list[dict[str, Any]]:
    """What `GET /v1/models` lists, in OpenAI's shape: the routes, then `provider/model` for each ready provider.

    A route whose name ends in `*` is no model and is left out. `created` is 0: nobody knows it.
    """
    routes = [_model_object(name, "clawgw") for name in snapshot.routes if not name.endswith("*")]
    return routes + [
        _model_object(f"{provider.name}/{model}", provider.name)
        for provider in _ready(snapshot)
        for model in _models_of(provider, catalogue)
    ]


def _model_object(name: str, owner: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": owner}


def _route(model: str, routes: Mapping[str, ReadyRoute]) -> ReadyRoute | None:
    if route := routes.get(model):
        return route
    fitting = [name for name in routes if name.endswith("*") and model.startswith(name[:-1])]
    return routes[max(fitting, key=len)] if fitting else None


def _routed(route: ReadyRoute, model: str) -> Resolved:
    targets = (Target(target.provider, model) if target.model == _CLIENTS_MODEL else target for target in route.targets)
    return Resolved(
        tuple(targets),
        route.name,
        route.max_attempts,
        route.failover_after_s,
        route.deadline_s,
        claim="route",
        weights=route.weights,
    )


def _named_target(model: str, snapshot: Snapshot) -> Target | None:
    prefix, _, rest = model.partition("/")
    provider = canonical(prefix)
    return Target(provider, rest) if rest and provider in snapshot.providers else None


def _knowing_provider(model: str, snapshot: Snapshot, catalogue: Catalogue) -> str | None:
    knowing = [provider.name for provider in _ready(snapshot) if catalogue.knows(provider.name, model)]
    defaults = snapshot.settings.defaults
    preferred = [defaults.provider, *defaults.fallback_providers]
    order = [canonical(name) for name in preferred if name] + knowing
    return next((name for name in order if name in knowing), None)


def _default_provider(snapshot: Snapshot) -> str | None:
    if chosen := snapshot.settings.defaults.provider:
        return canonical(chosen)
    return _ECHO if [provider.name for provider in _ready(snapshot)] == [_ECHO] else None


def _fallbacks(chosen: str, snapshot: Snapshot) -> Iterator[Target]:
    for name in map(canonical, snapshot.settings.defaults.fallback_providers):
        provider = snapshot.providers.get(name)
        if provider and name != chosen and provider.not_ready is None and provider.default_model:
            yield Target(name, provider.default_model)


def _ready(snapshot: Snapshot) -> Iterator[ReadyProvider]:
    return (provider for provider in snapshot.providers.values() if provider.not_ready is None)


def _models_of(provider: ReadyProvider, catalogue: Catalogue) -> Sequence[str]:
    """Where the catalogue knows no models of a provider, its default model is the one that is sure."""
    own = (provider.default_model,) if provider.default_model else ()
    return catalogue.models(provider.name) or own


def _not_found(model: str, snapshot: Snapshot, catalogue: Catalogue) -> str:
    said = [f"The model `{model}` is not known here."]
    said += [
        f"{provider.name} has it, but is not ready ({provider.not_ready})."
        for provider in snapshot.providers.values()
        if provider.not_ready is not None and catalogue.knows(provider.name, model)
    ]
    if close := _closest(model, snapshot, catalogue):
        said.append(f"Did you mean {' or '.join(f'`{name}`' for name in close)}?")
    providers = ", ".join(provider.name for provider in _ready(snapshot))
    said.append(f"Name a route or provider/model (ready providers: {providers}); GET /v1/models lists what there is.")
    return " ".join(said)


def _closest(model: str, snapshot: Snapshot, catalogue: Catalogue) -> list[str]:
    """Up to three names with the same first letter; that keeps a wrong name as cheap as a few right ones."""
    names = dict.fromkeys(snapshot.routes)
    for provider in _ready(snapshot):
        names |= dict.fromkeys(_models_of(provider, catalogue))
    return get_close_matches(model, [name for name in names if name[:1] == model[:1]], n=3, cutoff=0.75)
