"""The shape of a configuration: frozen classes, one per table of `gateway.toml`, with every default.

Field names are the file's keys; units are in the names. Nothing here reads, checks across tables or resolves:
`config.load` does. `docs/configuration.md` describes every key.
"""

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen

WireName = Literal["openai", "anthropic", "gemini", "mistral", "groq", "openrouter", "moonshot", "echo"]
Strategy = Literal["failover", "weighted", "cheapest", "fastest", "hedge", "race"]


@frozen
class Server:
    """[server]"""

    bind: tuple[str, ...] = ("127.0.0.1:8080",)
    workers: int = 1
    max_body_bytes: int = 20 * 1024 * 1024
    drain_delay_s: float = 0.0
    drain_s: float = 30.0
    header_hold_s: float = 15.0
    tls_cert: str | None = None
    tls_key: str | None = None


@frozen
class Defaults:
    """[defaults]"""

    provider: str | None = None
    fallback_providers: tuple[str, ...] = ()
    temperature: float | None = None
    max_tokens: int | None = None


@frozen
class Auth:
    """[auth]. `required` None: as soon as one key exists."""

    required: bool | None = None


@frozen
class RateLimits:
    """`limits`, `key_limits`: buckets that hold one minute's worth; None: no limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent: int | None = None


@frozen
class Budget:
    """`budget`: USD per calendar window, UTC."""

    usd: float
    per: Literal["hour", "day", "month"]


@frozen
class Key:
    """One of [[keys]]."""

    name: str
    sha256: str
    models: tuple[str, ...] = ("*",)
    admin: bool = False
    labels: Mapping[str, str] = field(factory=dict)
    limits: RateLimits | None = None
    budget: Budget | None = None


@frozen
class Timeouts:
    """A provider's `timeouts`."""

    connect_s: float = 1.5
    first_token_s: float = 60.0
    idle_s: float = 30.0
    total_s: float = 600.0


@frozen
class Provider:
    """[providers.NAME]. `wire` and `base_url` are None only before the known providers' values are filled in."""

    wire: WireName | None = None
    base_url: str | None = None
    api_keys: tuple[str, ...] | None = None
    api_version: str | None = None
    default_model: str | None = None
    api: Literal["auto", "chat", "responses"] = "auto"
    limits: RateLimits | None = None
    key_limits: RateLimits | None = None
    timeouts: Timeouts = Timeouts()
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    allow_private_network: bool = False
    tokens_per_second: float | None = None
    """echo only: how fast it answers; None: at once."""


@frozen
class Route:
    """[routes.NAME]"""

    targets: tuple[str, ...] = ()
    strategy: Strategy = "failover"
    weights: tuple[float, ...] | None = None
    hedge_after: str | float | None = None
    max_attempts: int = 3
    failover_after_s: float = 4.0
    deadline_s: float = 600.0
    limits: RateLimits | None = None
    policy: str | None = None
    options: Mapping[str, Any] = field(factory=dict)


@frozen
class Policies:
    """[policies]"""

    path: str = "policies"
    quota: tuple[str, ...] = ()


@frozen
class Retry:
    """[retry]"""

    budget_ratio: float = 0.2
    base_s: float = 0.05
    cap_s: float = 2.0


@frozen
class Breaker:
    """[breaker]"""

    consecutive_failures: int = 5
    failure_ratio: float = 0.5
    window_s: float = 30.0
    min_requests: int = 20
    open_s: float = 10.0


@frozen
class Hedge:
    """[hedge]"""

    budget_ratio: float = 0.05


@frozen
class Silence:
    """[silence]"""

    budget_ratio: float = 0.1


@frozen
class Limits:
    """[limits]"""

    store: Literal["memory", "redis"] = "memory"
    redis_url: str | None = field(default=None, repr=False)
    when_down: Literal["local", "open", "closed"] = "local"
    labels: Mapping[str, RateLimits] = field(factory=dict)


@frozen
class Cache:
    """[cache]"""

    store: Literal["off", "memory", "redis"] = "off"
    ttl_s: float = 300.0
    max_bytes: int = 64 * 1024 * 1024


@frozen
class WebSocket:
    """[websocket]"""

    ping_s: float = 20.0
    pong_timeout_s: float = 20.0
    max_message_bytes: int = 20 * 1024 * 1024
    max_requests: int = 64
    max_sockets_per_key: int = 100
    origins: tuple[str, ...] = ()


@frozen
class Metrics:
    """[metrics]"""

    bind: str = ""


@frozen
class Mongo:
    """[log.mongo]"""

    url: str = field(repr=False)
    database: str = "clawgw"
    collection: str = "requests"


@frozen
class Kafka:
    """[log.kafka]"""

    brokers: str = field(repr=False)
    topic: str = "clawgw.requests"


@frozen
class Log:
    """[log]"""

    path: str = "clawgw.db"
    spool: str = "clawgw.spool"
    fsync: Literal["interval", "always"] = "interval"
    bodies: bool = False
    retention_days: int = 30
    max_spool_bytes: int = 1024 * 1024 * 1024
    mongo: Mongo | None = None
    kafka: Kafka | None = None


@frozen
class Price:
    """[prices."provider/model"]: USD per million tokens."""

    input: float
    output: float
    cached_input: float | None = None


@frozen
class Settings:
    """The whole file."""

    server: Server = Server()
    defaults: Defaults = Defaults()
    auth: Auth = Auth()
    keys: tuple[Key, ...] = ()
    providers: Mapping[str, Provider] = field(factory=dict)
    routes: Mapping[str, Route] = field(factory=dict)
    policies: Policies = Policies()
    retry: Retry = Retry()
    breaker: Breaker = Breaker()
    hedge: Hedge = Hedge()
    silence: Silence = Silence()
    limits: Limits = Limits()
    cache: Cache = Cache()
    websocket: WebSocket = WebSocket()
    metrics: Metrics = Metrics()
    log: Log = Log()
    prices: Mapping[str, Price] = field(factory=dict)
