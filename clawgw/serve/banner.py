"""The start-up lines: what is served, where, and with what. Pure."""

from collections.abc import Iterator, Sequence

from clawgw import __version__
from clawgw.config.addresses import Bind
from clawgw.config.snapshot import ReadyProvider, ReadyRoute, Snapshot
from clawgw.config.tables.limits import Limits

_TRY_IT = """no provider key is set: the built-in echo answers. Try it:
  curl {url}/v1/chat/completions -H 'content-type: application/json'{key} \\
    -d '{{"model": "echo/echo", "messages": [{{"role": "user", "content": "Hello!"}}]}}'"""
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to reach what listens everywhere


def start_up_lines(snapshot: Snapshot, binds: Sequence[Bind], metrics: Sequence[Bind] = ()) -> Iterator[str]:
    """One line of text each. `binds` and `metrics`: where requests are taken, and where `metrics.bind` listens."""
    server = snapshot.settings.server
    scheme = "http" if server.tls_cert is None else "https"
    workers = f"{server.workers} workers" if server.workers > 1 else "1 worker"
    yield f"clawgw {__version__}, configuration {snapshot.version}"
    for bind in binds:
        yield f"listening on {scheme}://{bind} ({workers})"
    yield from (f"metrics on http://{bind}/metrics" for bind in metrics)
    yield from map(_provider, snapshot.providers.values())
    yield from map(_route, snapshot.routes.values())
    if snapshot.settings.keys:
        yield f"keys for clients: {', '.join(key.name for key in snapshot.settings.keys)}"
    limits, settings = _limits(snapshot.settings.limits), snapshot.settings
    yield f"stores: limits {limits}, cache {settings.cache.store}, log {', '.join(_log(snapshot))}"
    yield from (f"warning: {warning}" for warning in snapshot.warnings)
    if all(provider.wire == "echo" or provider.not_ready for provider in snapshot.providers.values()):
        key = "" if snapshot.callers.anonymous else " -H 'authorization: Bearer KEY'"
        yield from _TRY_IT.format(url=f"{scheme}://{_reachable(binds[0])}", key=key).splitlines()


def _provider(provider: ReadyProvider) -> str:
    keys = {0: "", 1: ", 1 key"}.get(len(provider.keys), f", {len(provider.keys)} keys")
    state = provider.not_ready or f"ready{keys}"
    return f"provider {provider.name} ({provider.wire}): {state}"


def _route(route: ReadyRoute) -> str:
    return f"route {route.name}: {', '.join(map(str, route.targets))}"


def _limits(limits: Limits) -> str:
    return "memory" if limits.store == "memory" else f"redis (when down: {limits.when_down})"


def _log(snapshot: Snapshot) -> Iterator[str]:
    """Where records go; an address may hold a password."""
    yield snapshot.settings.log.path
    if snapshot.mongo is not None:
        yield f"MongoDB {snapshot.mongo.database}.{snapshot.mongo.collection}"
    if snapshot.kafka is not None:
        yield f"Kafka {snapshot.kafka.topic}"


def _reachable(bind: Bind) -> Bind:
    return Bind(_ANY_ADDRESS.get(bind.host, bind.host), bind.port)
