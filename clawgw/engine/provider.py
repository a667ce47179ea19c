"""A provider while it is being used: its codec, its way out, the state of its keys."""

import logging
from collections.abc import Container, Mapping

import trio
from attrs import define, field

from clawgw.config.snapshot import ReadyProvider, Secret
from clawgw.engine.upstream import Call, Upstream
from clawgw.routing.keys import KeyPool
from clawgw.wire.codec import Codec, Failure, Kind, UpstreamRequest, WireError

log = logging.getLogger(__name__)


@define
class LiveProvider:
    """Shared by all requests of one configuration; outlives a reload that does not change the provider."""

    ready: ReadyProvider
    codec: Codec
    upstream: Upstream
    pool: KeyPool
    in_flight: int = 0
    own_headers: Mapping[str, str] = field(factory=dict, repr=False)

    def take_key(self, tried: Container[int]) -> int | None:
        """The index of the key for the next attempt; None where the provider needs none.

        Raises `WireError` of kind AUTH where every key was tried.
        """
        if not self.pool.size:
            return None
        key = self.pool.take(trio.current_time(), tried)
        if key is None:
            raise WireError(Failure(Kind.AUTH, "every key was refused"))
        return key

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
        headers = {**self.own_headers, **request.headers, **self.ready.headers, **self._auth(key)}
        return Call(
            url=self.ready.base_url + request.path,
            headers=headers,
            body=request.body,
            connect_s=self.ready.timeouts.connect_s,
            allow_private_network=self.ready.allow_private_network,
        )

    def redact(self, text: str) -> str:
        """`text` from upstream without any key of ours."""
        for key in self.ready.keys:
            text = text.replace(key.reveal(), "[redacted]")
        return text

    def _auth(self, key: int | None) -> Mapping[str, str]:
        secret: Secret | None = None if key is None else self.ready.keys[key]
        return {} if secret is None else self.codec.auth_headers(secret.reveal())
