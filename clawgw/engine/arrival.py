"""A request as it comes in at a door."""

from attrs import define, field

from clawgw.config.callers import NOBODY, Caller
from clawgw.engine.live import Live
from clawgw.ledger.record import Opening
from clawgw.routing.facts import RawHeaders
from clawgw.wire.request import Request


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

    def opening(self, request: Request | None, endpoint: str) -> Opening:
        """How the record of this request begins. None: it was refused before it could be read."""
        body = {} if request is None else request.body
        return Opening(
            self.request_id,
            int(self.now * 1000),
            endpoint,
            self.live.snapshot.version,
            self.client_request_id,
            self.caller.name,
            self.caller.labels,
            request is not None and request.stream,
            body.get("user"),
            body.get("metadata") or {},
        )
