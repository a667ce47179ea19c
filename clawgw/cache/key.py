"""What makes two requests the same question: a hash over everything that an answer depends on. Pure.

That is the endpoint, the name asked for and what it means here and now (targets with their addresses, the strategy),
the defaults that are filled in, the namespace, and the body: its objects in any order of keys, its numbers as they are
written, without nulls on its top level and without `IGNORED`. Where a policy routes, also what it may decide by.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, Literal

import orjson

from clawgw.config.callers import Caller
from clawgw.config.snapshot import ReadyProvider, Snapshot
from clawgw.routing.facts import RawHeaders, told_headers
from clawgw.routing.resolve import Resolved
from clawgw.wire.request import Request

Mode = Literal["off", "key", "shared"]

BYTES = 32
IGNORED: Mapping[str, str] = {
    "model": "is in the key by itself, with what it means",
    "stream": "the same answer, in pieces",
    "stream_options": "whether a stream ends with its usage",
    "user": "who asks",
    "safety_identifier": "who asks",
    "metadata": "for whoever keeps accounts",
    "store": "whether OpenAI keeps it; `true` is never served from the cache",
    "prompt_cache_key": "how the provider finds its own cache",
    "prompt_cache_retention": "how long the provider keeps its own cache",
    "prompt_cache_options": "what the provider caches itself",
}
"""Fields that do not change an answer, and what they say instead."""


def key_of(
    request: Request, endpoint: str, resolved: Resolved, snapshot: Snapshot, caller: Caller, headers: RawHeaders
) -> bytes:
    """The key of a checked request that may be cached."""
    defaults = snapshot.settings.defaults
    question = {
        "endpoint": endpoint,
        "model": request.model,
        "targets": [[target.model, *_address(snapshot.providers[target.provider])] for target in resolved.targets],
        "defaults": [defaults.temperature, defaults.max_tokens],
        "namespace": None if mode_of(resolved, snapshot) == "shared" else [caller.name],
        "route": list(_route(request, resolved, snapshot, caller, headers)),
        "body": {name: value for name, value in request.body.items() if value is not None and name not in IGNORED},
    }
    return blake2b(orjson.dumps(question, option=orjson.OPT_SORT_KEYS), digest_size=BYTES).digest()


def mode_of(resolved: Resolved, snapshot: Snapshot) -> Mode:
    """Who shares the answers to a name: nobody, those with the same key, or everybody."""
    return "key" if resolved.route is None else snapshot.settings.routes[resolved.route].cache


def may_be_cached(request: Request) -> bool:
    """A request that has an effect beside its answer is sent each time."""
    return request.body.get("store") is not True


def _address(provider: ReadyProvider) -> tuple[Any, ...]:
    return provider.name, provider.wire, provider.base_url, provider.api_version, dict(provider.headers)


def _route(
    request: Request, resolved: Resolved, snapshot: Snapshot, caller: Caller, headers: RawHeaders
) -> Iterator[Any]:
    """How a target is chosen, and what a policy may choose by."""
    if resolved.route is None:
        return
    route = snapshot.settings.routes[resolved.route]
    yield from (route.strategy, route.weights, route.policy)
    if route.policy is not None:
        body = request.body
        yield from (repr(route.options), caller.labels, body.get("user"), body.get("metadata"), told_headers(headers))
