"""A request as it comes in at a door."""

from collections.abc import Mapping
from typing import NamedTuple

from attrs import define, field

from clawgw.config.callers import NOBODY, Caller
from clawgw.engine.live import Live
from clawgw.routing.facts import RawHeaders
from clawgw.wire.request import Request


class Opening(NamedTuple):
    """The fields of a `ledger.record.RequestRecord` that are known at once; it begins with them."""

    request_id: str
    at_ms: int
    endpoint: str
    config_version: str
    client_request_id: str | None
    key: str | None
    labels: Mapping[str, str]
    stream: bool
    user: str | None
    metadata: Mapping[str, str]


@define(eq=False)
class Arrival:
    """What a door knows of a request beside its body, and the version of the configuration that it keeps to its end.

    `started` is `trio.current_time()`, `now` Unix seconds. `caller` is known as soon as the door has let it in.
    """

    request_id: str
    client_request_id: str | None
    started: float
    now: float
    live: Live = field(repr=False)
    caller: Caller = NOBODY
    headers: RawHeaders = field(default=(), repr=False)

    def opening(self, request: Request, endpoint: str) -> Opening:
        """How the record of this request begins."""
        return Opening(
            self.request_id,
            int(self.now * 1000),
            endpoint,
            self.live.snapshot.version,
            self.client_request_id,
            self.caller.name,
            self.caller.labels,
            request.stream,
            request.body.get("user"),
            request.body.get("metadata") or {},
        )
