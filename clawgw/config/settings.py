"""The shape of a configuration: all tables of `gateway.toml` together.

Nothing here reads, checks across tables or resolves: `config.load` does.
"""

from collections.abc import Mapping

from attrs import field, frozen

from clawgw.config.tables.attempts import Breaker, Hedge, Retry, Silence
from clawgw.config.tables.callers import Auth, Key
from clawgw.config.tables.limits import Limits
from clawgw.config.tables.log import Log
from clawgw.config.tables.providers import Price, Provider
from clawgw.config.tables.routes import Cache, Defaults, Policies, Route
from clawgw.config.tables.server import Metrics, Server, WebSocket
from clawgw.config.values import ProviderName, RouteName, TargetName


@frozen
class Settings:
    """The whole file."""

    server: Server = field(factory=Server)
    defaults: Defaults = field(factory=Defaults)
    auth: Auth = field(factory=Auth)
    keys: tuple[Key, ...] = ()
    providers: Mapping[ProviderName, Provider] = field(factory=dict)
    routes: Mapping[RouteName, Route] = field(factory=dict)
    policies: Policies = field(factory=Policies)
    retry: Retry = field(factory=Retry)
    breaker: Breaker = field(factory=Breaker)
    hedge: Hedge = field(factory=Hedge)
    silence: Silence = field(factory=Silence)
    limits: Limits = field(factory=Limits)
    cache: Cache = field(factory=Cache)
    websocket: WebSocket = field(factory=WebSocket)
    metrics: Metrics = field(factory=Metrics)
    log: Log = field(factory=Log)
    prices: Mapping[TargetName, Price] = field(factory=dict)
