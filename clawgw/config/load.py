"""The way in: text, environment and command line → `Snapshot`, or a `ConfigError` with every mistake."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
from attrs import frozen

from clawgw.config.callers import Callers
from clawgw.config.environment import defaults_from
from clawgw.config.known import canonical
from clawgw.config.mistakes import ConfigError, Mistake, is_within, path_of
from clawgw.config.overlay import Source, lay_over
from clawgw.config.policy_sources import PolicyReader
from clawgw.config.providers import ProviderResolver
from clawgw.config.references import check, parse_target
from clawgw.config.settings import Settings
from clawgw.config.shape import shape
from clawgw.config.snapshot import ReadyProvider, ReadyRoute, Snapshot
from clawgw.config.sources import ReadFile, Sources, UnreadableError
from clawgw.config.stores import StoreResolver
from clawgw.config.tables.routes import Defaults, Route
from clawgw.config.tables.server import Server
from clawgw.config.toml import parse
from clawgw.config.unavailable import warnings
from clawgw.config.without_effect import lonely_keys


@frozen
class Overrides:
    """What the command line says over everything else."""

    bind: str | None = None
    workers: int | None = None

    def sources(self) -> dict[str, Source]:
        """What is said of each key of `[server]`."""
        bind = None if self.bind is None else [self.bind]
        values = {"bind": bind, "workers": self.workers}
        return {key: Source(f"--{key}", value) for key, value in values.items() if value is not None}


def load(
    text: str,
    environ: Mapping[str, str],
    *,
    read_file: ReadFile,
    overrides: Overrides = Overrides(),
    file: Path = Path("gateway.toml"),
) -> Snapshot:
    """Check everything and resolve it. `text` is the content of `file`, whose folder relative names start at.

    Reads nothing but the files that `text` names, through `read_file`. Raises ConfigError.
    """
    sources = Sources(environ, read_file, file.parent)
    sources.note(text, repr(overrides))
    data = parse(text, file.name)
    shaped = shape(data)
    variables, options = defaults_from(sources), overrides.sources()
    defaults = lay_over(shaped.settings.defaults, variables)
    server = lay_over(shaped.settings.server, options)
    settings = attrs.evolve(shaped.settings, server=server.table, defaults=defaults.table)
    resolver = ProviderResolver(sources)
    providers = resolver.resolve(settings.providers, set(_named_providers(settings)))
    stores = StoreResolver(sources)
    mongo, kafka = stores.mongo(settings.log.mongo), stores.kafka(settings.log.kafka)
    redis = stores.redis(settings)
    reader = PolicyReader(sources, settings.policies.path)
    policies = reader.read(settings)
    later = [
        *check(settings, {key: source.name for key, source in {**options, **variables}.items()}),
        *resolver.mistakes,
        *stores.mistakes,
        *_check_tls_files(settings.server, sources),
        *reader.mistakes,
    ]
    mistakes = [
        *shaped.mistakes,
        *server.mistakes,
        *defaults.mistakes,
        *(mistake for mistake in later if not any(is_within(mistake.path, dropped) for dropped in shaped.dropped)),
    ]
    if mistakes:
        raise ConfigError(mistakes)
    return Snapshot(
        version=sources.version(),
        settings=_finished(settings, providers, file.parent),
        providers=providers,
        routes={name: _ready_route(name, route) for name, route in settings.routes.items()},
        callers=Callers.of(settings),
        redis_url=redis,
        policies=policies,
        mongo=mongo,
        kafka=kafka,
        warnings=(*warnings(data), *lonely_keys(settings), *resolver.warnings, *stores.warnings),
    )


def _named_providers(settings: Settings) -> Iterator[str]:
    defaults = settings.defaults
    for name in (defaults.provider, *defaults.fallback_providers):
        if name is not None:
            yield canonical(name)
    for route in settings.routes.values():
        yield from (target.provider for target in map(parse_target, route.targets) if target)


def _check_tls_files(server: Server, sources: Sources) -> Iterator[Mistake]:
    for key, name in (("tls_cert", server.tls_cert), ("tls_key", server.tls_key)):
        if name is not None:
            try:
                sources.file(name)
            except UnreadableError as error:
                yield Mistake(path_of("server", key), str(error))


def _finished(settings: Settings, providers: Mapping[str, ReadyProvider], folder: Path) -> Settings:
    """Settings with names of providers and files as the gateway uses them."""
    server, defaults = settings.server, settings.defaults
    return attrs.evolve(
        settings,
        server=attrs.evolve(
            server,
            tls_cert=None if server.tls_cert is None else str(folder / server.tls_cert),
            tls_key=None if server.tls_key is None else str(folder / server.tls_key),
        ),
        defaults=attrs.evolve(
            defaults,
            provider=_default_provider(defaults, providers),
            fallback_providers=tuple(map(canonical, defaults.fallback_providers)),
        ),
        log=attrs.evolve(settings.log, path=str(folder / settings.log.path), spool=str(folder / settings.log.spool)),
        prices={str(parse_target(name)): price for name, price in settings.prices.items()},
    )


def _default_provider(defaults: Defaults, providers: Mapping[str, ReadyProvider]) -> str | None:
    """The chosen one; echo where none is chosen and nothing else could answer, so that a first try works."""
    if defaults.provider is not None:
        return canonical(defaults.provider)
    only_echo = all(provider.wire == "echo" or provider.not_ready for provider in providers.values())
    return "echo" if only_echo else None


def _ready_route(name: str, route: Route) -> ReadyRoute:
    return ReadyRoute(
        name=name,
        targets=tuple(target for target in map(parse_target, route.targets) if target),
        max_attempts=route.max_attempts,
        failover_after_s=route.failover_after_s,
        deadline_s=route.deadline_s,
        weights=route.weights,
    )
