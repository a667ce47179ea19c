"""What the doors share: the gateway, its metrics, and whether it is on its way out."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

import trio
from attrs import define, field, frozen

from clawgw.config.snapshot import Snapshot
from clawgw.engine.arrival import Arrival
from clawgw.engine.live import Live
from clawgw.errors import GatewayError, InvalidApiKey, LogSpoolFull
from clawgw.gateway import PlainAnswer
from clawgw.ledger.record import Ledger, RequestRecord, Unwritten
from clawgw.web.metrics import Metrics
from clawgw.wire.request import Request


class OpenAnswer(Protocol):
    """A `gateway.StreamAnswer`."""

    headers: Mapping[str, str]

    @property
    def ended(self) -> bool:
        """Whether the last events have been received."""

    async def receive(self) -> bytes:
        """The next events; b"" after the last, when those have been sent."""

    def close(self) -> None:
        """To be called in the end, always."""


class Answering(Protocol):
    """As much of `gateway.Gateway` as the doors use."""

    live: Live

    async def answer(self, request: Request, arrival: Arrival) -> PlainAnswer | OpenAnswer:
        """Serve one checked request. Raises `GatewayError`; cancelling it aborts every attempt."""


class Limits(Protocol):
    """How the store of limits is."""

    @property
    def degraded(self) -> str | None:
        """Why limits are not kept as they should be, for people; None: they are."""

    @property
    def refuses(self) -> bool:
        """Whether whatever has a limit is refused because of that."""


@frozen
class WellKept:
    """Limits that are always kept as they should be."""

    degraded: str | None = None
    refuses: bool = False


@define
class Service:
    """The gateway as the doors see it. `instance` names this run of it in `Via`."""

    gateway: Answering
    metrics: Metrics
    instance: str
    limits: Limits = field(factory=WellKept)
    ledger: Ledger = field(factory=Unwritten)
    draining: bool = False

    @property
    def snapshot(self) -> Snapshot:
        """The configuration being served."""
        return self.gateway.live.snapshot

    def refused(self, endpoint: str, arrival: Arrival, error: GatewayError) -> None:
        """A request that did not get as far as the gateway. It has a record, unless nobody knows whose it is."""
        self.metrics.refused(endpoint, error.status)
        if not isinstance(error, InvalidApiKey):
            with suppress(LogSpoolFull):  # the client hears the error that it has made
                self.ledger.request_ended(_refusal(endpoint, arrival, error))


def _refusal(endpoint: str, arrival: Arrival, error: GatewayError) -> RequestRecord:
    """The record of a request whose body was not read, or could not be."""
    return RequestRecord(
        *arrival.opening(None, endpoint),
        outcome="error",
        status=error.status,
        duration_ms=(trio.current_time() - arrival.started) * 1000,
        error_code=error.code,
    )
