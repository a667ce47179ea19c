"""A provider while it is being used: its codec, its way out, the state of its keys."""

import logging
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import NamedTuple

import trio
from attrs import define, field

from clawgw.config.snapshot import ReadyProvider
from clawgw.config.tables.attempts import Breaker
from clawgw.engine.upstream import Call, Destination, Upstream
from clawgw.routing.health import Health
from clawgw.routing.keys import KeyPool
from clawgw.routing.target_health import Admission
from clawgw.wire.codec import Codec, UpstreamRequest
from clawgw.wire.failure import Failure, Kind, WireError

log = logging.getLogger(__name__)

REMEMBERED = 256
"""Paths with headers and keys; a path may name the client's model."""
NOT_READY_RETRY_S = 60.0
"""When to come back to a provider without a key: somebody has to change the configuration first."""


class Place(NamedTuple):
    """An attempt that may begin: the index of its key, None where the provider needs none, and its admission."""

    key: int | None
    admission: Admission


@define
class LiveProvider:
    """Shared by all requests of one configuration; outlives a reload that does not change the provider."""

    ready: ReadyProvider
    codec: Codec
    upstream: Upstream
    pool: KeyPool
    health: Health
    in_flight: int = 0
    own_headers: Mapping[str, str] = field(factory=dict, repr=False)
    _destination: Callable[[str, tuple[tuple[str, str], ...], int | None], Destination] = field(init=False, repr=False)
    """Of a path, a codec's headers and a key; remembered."""

    @_destination.default
    def _remembering(self) -> Callable[[str, tuple[tuple[str, str], ...], int | None], Destination]:
        return lru_cache(REMEMBERED)(self._bound_for)

    @classmethod
    def of(  # what a provider is made of, once, where everything is wired
        cls,
        ready: ReadyProvider,
        codec: Codec,
        upstream: Upstream,
        *,
        breaker: Breaker,
        random: Callable[[], float],
        own_headers: Mapping[str, str],
    ) -> "LiveProvider":
        """A provider about which nothing is known yet. `random` gives numbers in [0, 1)."""
        keys = len(ready.keys)
        return cls(ready, codec, upstream, KeyPool(keys), Health(breaker, keys, random), own_headers=own_headers)

    def admit(self, model: str, tried: AbstractSet[int], now: float, *, streaming: bool) -> Place:
        """A place for an attempt.

        Raises `WireError`: of kind AUTH where every key was tried, UNAVAILABLE or RATE_LIMITED where none may be used.
        """
        if self.ready.not_ready is not None:
            raise WireError(Failure(Kind.UNAVAILABLE, self.ready.not_ready, retry_after_s=NOT_READY_RETRY_S))
        if not self.pool.size:
            admission = self.health.admit(model, None, now, streaming=streaming)
            if isinstance(admission, Failure):
                raise WireError(admission)
            return Place(None, admission)
        refusals = list[Failure]()
        for key in self.pool.candidates(now, tried):
            admission = self.health.admit(model, key, now, streaming=streaming)
            if not isinstance(admission, Failure):
                self.pool.use(key)
                return Place(key, admission)
            refusals.append(admission)
        if not refusals:
            raise WireError(Failure(Kind.AUTH, "every key was refused"))
        raise WireError(min(refusals, key=lambda refusal: refusal.retry_after_s or 0.0))

    def withdraw(self, place: Place) -> None:
        """The attempt does not begin after all."""
        place.admission.withdraw(trio.current_time())
        if place.key is not None:
            self.pool.give_back(place.key)

    def has_other_key(self, model: str, than: AbstractSet[int]) -> bool:
        """Whether an attempt at the model could start now with a key that is none of these."""
        now = trio.current_time()
        awake = [key for key in self.pool.candidates(now, than) if not self.pool.rests(key, now)]
        return any(self.health.is_open(model, key, now) for key in awake)

    def key_name(self, key: int | None) -> str | None:
        """What tells a key from the others, wherever it stands in the pool; no secret."""
        return None if key is None else self.ready.keys[key].fingerprint

    def note_success(self, key: int | None) -> None:
        """The provider has answered to this key."""
        if key is not None:
            self.pool.restore(key)

    def note_refused(self, key: int, failure: Failure) -> None:
        """The provider will not have this key: it rests, and someone should look at it."""
        self.pool.set_aside(key, failure.kind, trio.current_time(), failure.retry_after_s)
        log.error(
            "provider %s: key %d of %d is set aside: %s", self.ready.name, key + 1, self.pool.size, failure.kind.value
        )

    def call(self, request: UpstreamRequest, key: int | None) -> Call:
        """The HTTP request for one attempt. Headers from the configuration win over the codec's; the key over all."""
        return Call(self._destination(request.path, tuple(request.headers.items()), key), request.body)

    def redact(self, text: str) -> str:
        """`text` from upstream without any key of ours."""
        for key in self.ready.keys:
            text = text.replace(key.reveal(), "[redacted]")
        return text

    def _bound_for(self, path: str, headers: tuple[tuple[str, str], ...], key: int | None) -> Destination:
        auth = {} if key is None else self.codec.auth_headers(self.ready.keys[key].reveal())
        return Destination(
            url=self.ready.base_url + path,
            headers={**self.own_headers, **dict(headers), **self.ready.headers, **auth},
            connect_s=self.ready.timeouts.connect_s,
            allow_private_network=self.ready.allow_private_network,
        )
