"""The shape of a configuration: frozen classes, one per table of `gateway.toml`, with every default and range.

Field names are the file's keys; units are in the names. Nothing here reads, checks across tables or resolves:
`config.load` does. `docs/configuration.md` describes every key.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from attrs import field, frozen

from clawgw.config.rules import NotEmpty, Range
from clawgw.config.values import (
    Address,
    BindAddress,
    BodyBytes,
    CollectionName,
    Count,
    DatabaseName,
    Dollars,
    FileName,
    Function,
    HeaderName,
    HeaderValue,
    HedgeAfter,
    LabelName,
    ModelName,
    OptionalBindAddress,
    PerMinute,
    Places,
    Positive,
    PositiveOrZero,
    ProviderName,
    Ratio,
    Reference,
    Regex,
    RouteName,
    Sha256,
    TargetName,
    TopicName,
    Word,
)

WireName = Literal["openai", "anthropic", "gemini", "mistral", "groq", "openrouter", "moonshot", "echo"]
Strategy = Literal["failover", "weighted", "cheapest", "fastest", "hedge", "race"]


@frozen
class Server:
    """`[server]`."""

    bind: Annotated[tuple[BindAddress, ...], NotEmpty("address")] = ("127.0.0.1:8080",)
    workers: Count = 1
    max_body_bytes: Count = 20 * 1024 * 1024
    drain_delay_s: PositiveOrZero = 0.0
    drain_s: PositiveOrZero = 30.0
    header_hold_s: PositiveOrZero = 15.0
    tls_cert: FileName | None = None
    tls_key: FileName | None = None


@frozen
class Defaults:
    """`[defaults]`."""

    provider: str | None = None
    fallback_providers: tuple[str, ...] = ()
    temperature: Annotated[float, Range(least=0, most=2)] | None = None
    max_tokens: Count | None = None


@frozen
class Auth:
    """[auth]. `required` None: as soon as one key exists."""

    required: bool | None = None


@frozen
class RateLimits:
    """`limits`, `key_limits`: buckets that hold one minute's worth; None: no limit."""

    requests_per_minute: PerMinute | None = None
    tokens_per_minute: PerMinute | None = None
    concurrent: Places | None = None


@frozen
class Budget:
    """`budget`: USD per calendar window, UTC."""

    usd: Dollars
    per: Literal["hour", "day", "month"]


@frozen
class LabelLimits(RateLimits):
    """One of `[limits.labels]`: shared by every key with the label."""

    budget: Budget | None = None


@frozen
class Key:
    """One of [[keys]]."""

    name: Word
    sha256: Sha256
    models: Annotated[tuple[Word, ...], NotEmpty("model, such as `*`")] = ("*",)
    admin: bool = False
    labels: Mapping[str, str] = field(factory=dict)
    limits: RateLimits | None = None
    budget: Budget | None = None


@frozen
class Timeouts:
    """A provider's `timeouts`."""

    connect_s: Positive = 1.5
    first_token_s: Positive = 60.0
    idle_s: Positive = 30.0
    total_s: Positive = 600.0


@frozen
class Provider:
    """[providers.NAME]. `wire` and `base_url` are None only before the known providers' values are filled in."""

    wire: WireName | None = None
    base_url: str | None = None
    api_keys: tuple[Reference, ...] | None = None
    api_version: Word | None = None
    default_model: ModelName | None = None
    api: Literal["auto", "chat", "responses"] = "auto"
    limits: RateLimits | None = None
    budget: Budget | None = None
    key_limits: RateLimits | None = None
    key_budget: Budget | None = None
    timeouts: Timeouts = Timeouts()
    headers: Mapping[HeaderName, HeaderValue] = field(factory=dict, repr=False)
    allow_private_network: bool = False
    tokens_per_second: Positive | None = None
    """echo only: how fast it answers; None: at once."""


@frozen
class Route:
    """`[routes.NAME]`."""

    targets: Annotated[tuple[Word, ...], NotEmpty("target")]
    strategy: Strategy = "failover"
    weights: tuple[PositiveOrZero, ...] | None = None
    hedge_after: HedgeAfter | None = None
    max_attempts: Count = 3
    failover_after_s: Positive = 4.0
    deadline_s: Positive = 600.0
    limits: RateLimits | None = None
    budget: Budget | None = None
    policy: Function | None = None
    options: Mapping[str, Any] = field(factory=dict)
    cache: Literal["off", "key", "shared"] = "key"


@frozen
class Policies:
    """`[policies]`."""

    path: FileName = "policies"
    quota: tuple[Function, ...] = ()
    options: Mapping[str, Any] = field(factory=dict)


@frozen
class Retry:
    """`[retry]`."""

    budget_ratio: Ratio = 0.2
    base_s: PositiveOrZero = 0.05
    cap_s: PositiveOrZero = 2.0


@frozen
class Breaker:
    """`[breaker]`."""

    consecutive_failures: Count = 5
    failure_ratio: Ratio = 0.5
    window_s: Positive = 30.0
    min_requests: Count = 20
    open_s: Positive = 10.0


@frozen
class Hedge:
    """`[hedge]`."""

    budget_ratio: Ratio = 0.05
    floor_s: PositiveOrZero = 0.5


@frozen
class Silence:
    """`[silence]`."""

    budget_ratio: Ratio = 0.1


@frozen
class Limits:
    """`[limits]`."""

    store: Literal["memory", "redis"] = "memory"
    redis_url: Address = field(default="env:REDIS_URL", repr=False)
    redis_timeout_s: Positive = 0.05
    when_down: Literal["local", "open", "closed"] = "local"
    labels: Mapping[LabelName, LabelLimits] = field(factory=dict)


@frozen
class Cache:
    """`[cache]`."""

    store: Literal["off", "memory", "redis"] = "off"
    ttl_s: Positive = 300.0
    max_bytes: Count = 64 * 1024 * 1024


@frozen
class WebSocket:
    """`[websocket]`."""

    ping_s: Positive = 20.0
    pong_timeout_s: Positive = 20.0
    max_message_bytes: Count = 20 * 1024 * 1024
    max_requests: Count = 64
    max_sockets_per_key: Count = 100
    origins: tuple[Word, ...] = ()


@frozen
class Metrics:
    """`[metrics]`."""

    bind: OptionalBindAddress = ""


@frozen
class Mongo:
    """`[log.mongo]`."""

    url: Address = field(default="env:MONGODB_URL", repr=False)
    database: DatabaseName = "clawgw"
    collection: CollectionName = "requests"


@frozen
class Kafka:
    """`[log.kafka]`."""

    brokers: Address = field(default="env:KAFKA_BROKERS", repr=False)
    topic: TopicName = "clawgw.requests"


@frozen
class Log:
    """`[log]`."""

    path: FileName = "clawgw.db"
    spool: FileName = "clawgw.spool"
    fsync: Literal["interval", "always"] = "interval"
    bodies: bool = False
    max_body_bytes: BodyBytes = 64 * 1024
    redact: tuple[Regex, ...] = ()
    retention_days: Count = 30
    max_spool_bytes: Count = 1024 * 1024 * 1024
    mongo: Mongo | None = None
    kafka: Kafka | None = None


@frozen
class Price:
    """[prices."provider/model"]: USD per million tokens."""

    input: PositiveOrZero
    output: PositiveOrZero
    cached_input: PositiveOrZero | None = None


@frozen
class Settings:
    """The whole file."""

    server: Server = Server()
    defaults: Defaults = Defaults()
    auth: Auth = Auth()
    keys: tuple[Key, ...] = ()
    providers: Mapping[ProviderName, Provider] = field(factory=dict)
    routes: Mapping[RouteName, Route] = field(factory=dict)
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
    prices: Mapping[TargetName, Price] = field(factory=dict)
