"""Second stage: what names something must name something that exists, and what belongs together must fit.

These checks look at settings whose single values are right; each yields its mistakes and knows nothing of the others.
"""

from collections.abc import Iterable, Iterator, Mapping

from clawgw.config.addresses import Bind, parse_bind
from clawgw.config.known import ALIASES, KNOWN, canonical
from clawgw.config.mistakes import Mistake, did_you_mean, path_of
from clawgw.config.settings import Settings
from clawgw.config.tables.callers import Key
from clawgw.config.tables.providers import Provider
from clawgw.config.tables.routes import Defaults, Route
from clawgw.policy import Target


def check(settings: Settings, origins: Mapping[str, str]) -> Iterator[Mistake]:
    """Every mistake between tables. `origins` says which keys of them come from variables or options."""
    yield from _check_server(settings, origins.get("bind", "server.bind"))
    yield from _check_addresses(settings)
    yield from _check_defaults(settings.defaults, settings.providers, origins)
    yield from _check_keys(settings.keys)
    yield from _check_names(settings.providers)
    for name, provider in settings.providers.items():
        yield from _check_provider(name, provider)
    for name, route in settings.routes.items():
        yield from _check_route(name, route, settings.providers)


def parse_target(text: str) -> Target | None:
    """`provider/model`, the provider under its one name; None where it is something else."""
    provider, slash, model = text.partition("/")
    return Target(canonical(provider), model) if provider and slash and model else None


def _check_server(settings: Settings, bind_path: str) -> Iterator[Mistake]:
    server = settings.server
    if (server.tls_cert is None) != (server.tls_key is None):
        missing = "tls_key" if server.tls_key is None else "tls_cert"
        yield Mistake(path_of("server", missing), "missing: tls_cert and tls_key go together")
    if settings.auth.required is False or settings.keys:
        return
    for address in server.bind:
        if not parse_bind(address).is_loopback:
            yield Mistake(
                bind_path,
                f"{address} can be reached from other machines, and no key protects it: run `clawgw keys new NAME`"
                " and put what it prints into the configuration, bind 127.0.0.1, or write `required = false` under"
                " [auth] to let everyone in",
            )


def _check_addresses(settings: Settings) -> Iterator[Mistake]:
    """Port 0 is another one each time."""
    seen = dict[Bind, str]()
    listed = {path_of("server", "bind", index): address for index, address in enumerate(settings.server.bind)}
    for path, address in (listed | {"metrics.bind": settings.metrics.bind}).items():
        if address and (bind := parse_bind(address)).port:
            first = seen.setdefault(bind, path)
            if first != path:
                yield Mistake(path, f"the same address as {first}")


def _check_defaults(
    defaults: Defaults, providers: Mapping[str, Provider], origins: Mapping[str, str]
) -> Iterator[Mistake]:
    if defaults.provider is not None:
        yield from _check_provider_name(defaults.provider, providers, origins.get("provider", "defaults.provider"))
    models = {name: known.default_model for name, known in KNOWN.items()} | {
        canonical(name): provider.default_model for name, provider in providers.items() if provider.default_model
    }
    path = origins.get("fallback_providers", "defaults.fallback_providers")
    for name in defaults.fallback_providers:
        unknown = list(_check_provider_name(name, providers, path))
        yield from unknown
        if not unknown and canonical(name) not in models:
            yield Mistake(path, f"{name} has no default_model to answer with: give it one under [providers.{name}]")


def _check_provider_name(name: str, providers: Mapping[str, Provider], path: str) -> Iterator[Mistake]:
    names = {*providers, *KNOWN, *ALIASES}
    if name not in names and canonical(name) not in map(canonical, names):
        yield Mistake(path, f"no provider is named {name}{did_you_mean(name, names)}")


def _check_keys(keys: Iterable[Key]) -> Iterator[Mistake]:
    names, hashes = dict[str, int](), dict[str, int]()
    for index, key in enumerate(keys):
        for seen, value, attribute in ((names, key.name, "name"), (hashes, key.sha256.lower(), "sha256")):
            first = seen.setdefault(value, index)
            if first != index:
                yield Mistake(path_of("keys", index, attribute), f"the same as {path_of('keys', first, attribute)}")


def _check_names(providers: Iterable[str]) -> Iterator[Mistake]:
    seen = dict[str, str]()
    for name in providers:
        first = seen.setdefault(canonical(name), name)
        if first != name:
            yield Mistake(path_of("providers", name), f"the same provider as {path_of('providers', first)}")


def _check_provider(name: str, provider: Provider) -> Iterator[Mistake]:
    known = KNOWN.get(canonical(name))
    wire = provider.wire or (known and known.wire)
    if wire is None:
        yield Mistake(
            path_of("providers", name, "wire"),
            f"missing: {name} is not a known one, so it needs wire and base_url{did_you_mean(name, KNOWN)}",
        )
    for key, only, is_set in (
        ("api", "openai", provider.api != "auto"),
        ("tokens_per_second", "echo", provider.tokens_per_second is not None),
    ):
        if is_set and wire not in (None, only):
            yield Mistake(path_of("providers", name, key), f'only for wire = "{only}"')
    seen = dict[str, str]()
    for header in provider.headers:
        first = seen.setdefault(header.lower(), header)
        if first != header:
            yield Mistake(path_of("providers", name, "headers", header), f"the same header as {first}")


def _check_route(name: str, route: Route, providers: Mapping[str, Provider]) -> Iterator[Mistake]:
    for index, text in enumerate(route.targets):
        path = path_of("routes", name, "targets", index)
        target = parse_target(text)
        if target is None:
            yield Mistake(path, "must be provider/model")
        else:
            yield from _check_provider_name(target.provider, providers, path)
    if route.weights is not None:
        if len(route.weights) != len(route.targets):
            yield Mistake(path_of("routes", name, "weights"), "must have as many numbers as there are targets")
        elif not any(route.weights):
            yield Mistake(path_of("routes", name, "weights"), "must have at least one number that is more than 0")
