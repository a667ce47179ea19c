"""A checked configuration, ready to serve: settings with every reference resolved.

A snapshot never changes. A reload makes a new one beside it; a request keeps the one it began with.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from urllib.parse import unquote

from attrs import field, frozen

from clawgw.config.callers import Callers
from clawgw.config.settings import Settings
from clawgw.config.tables.providers import Timeouts, WireName
from clawgw.policy import Target

_PASSWORD = re.compile(r"://[^/@:]*:([^/@]+)@")


class Secret:
    """A string that no repr, str, format or traceback shows; `reveal()` is the only way in."""

    __slots__ = ("_value", "fingerprint")

    def __init__(self, value: str) -> None:
        self._value = value
        self.fingerprint = sha256(value.encode()).hexdigest()[:16]
        """Tells it from others; nobody gets from here to a secret of some length."""

    def reveal(self) -> str:
        """The secret itself, for the one header or connection it goes into."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)


@frozen
class ReadyProvider:
    """A provider as the gateway uses it. `not_ready` says why it cannot be called (no key), else None."""

    name: str
    wire: WireName
    base_url: str
    keys: tuple[Secret, ...]
    timeouts: Timeouts
    api_version: str | None = None
    default_model: str | None = None
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    allow_private_network: bool = False
    tokens_per_second: float | None = None
    not_ready: str | None = None


@frozen
class ReadyRoute:
    """A route with its targets resolved. `name` may end in `*`."""

    name: str
    targets: Sequence[Target]
    max_attempts: int = 3
    failover_after_s: float = 4.0
    deadline_s: float = 600.0
    weights: Sequence[float] | None = None


@frozen
class ReadyMongo:
    """Where records go beside the embedded store: `[log.mongo]`. The URL may hold a password."""

    url: Secret
    database: str
    collection: str


@frozen
class ReadyKafka:
    """Likewise `[log.kafka]`. Brokers are HOST:PORT, separated by commas."""

    brokers: Secret
    topic: str


@frozen
class PolicySource:
    """A module of policies as it was read. `shown` is its file as messages name it."""

    shown: str
    path: Path
    source: bytes = field(repr=False)


@frozen
class Snapshot:
    """One version of the configuration. `version`: 12 hex digits of a SHA-256 over all that was loaded."""

    version: str
    settings: Settings
    providers: Mapping[str, ReadyProvider]
    """In file order, then the known ones that have a key in the environment or are named by others, then echo."""
    routes: Mapping[str, ReadyRoute]
    callers: Callers = field(factory=Callers)
    redis_url: Secret | None = None
    """Where limits or the cache are kept, if it is in Redis."""
    policies: Mapping[str, PolicySource] = field(factory=dict)
    """By module: those that routes and `[policies]` name, and those that they import from the same folder."""
    mongo: ReadyMongo | None = None
    kafka: ReadyKafka | None = None
    warnings: Sequence[str] = ()
    """What is set but does not act in this version, or is missing without harm, as `path: …` lines."""

    def secrets(self) -> Iterator[str]:
        """Every one: the providers' keys, and the passwords in addresses of stores."""
        for provider in self.providers.values():
            yield from (key.reveal() for key in provider.keys)
        for address in (self.redis_url, self.mongo and self.mongo.url):
            for password in _PASSWORD.findall(address.reveal() if address else ""):
                yield from (password, unquote(password))
