"""HTTP/1.1 by the letter where h11 is lenient, and refusals in the gateway's own words.

h11 takes a bare LF for a line's end, lines that are folded, and a length that is said twice (RFC 9112, 2.2, 5.2 and 6.3
allow a server to). A proxy in front that does not reads one request where h11 reads two, and lets through what it was
to keep out. Hypercorn makes its connections itself, so `install` puts another class in the place of its own.
"""

import logging
import os
import time
from typing import Any

import h11
import hypercorn.protocol
from hypercorn.protocol.h11 import H11Protocol

from clawgw.errors import GatewayError, HeadTooLarge, InvalidRequest
from clawgw.web.error_body import error_headers, error_json
from clawgw.web.head import MAX_BYTES
from clawgw.web.identity import RANDOM_BYTES, request_id

log = logging.getLogger(__name__)


def install() -> None:
    """From now on hypercorn's connections are strict."""
    hypercorn.protocol.H11Protocol = StrictProtocol  # type: ignore[attr-defined] # not exported, and no other way in


class StrictConnection(h11.Connection):
    """h11's, which refuses what another server could read in another way."""

    def _extract_next_receive_event(self) -> Any:
        before, _ = self.trailing_data
        event = super()._extract_next_receive_event()
        if isinstance(event, h11.Request | h11.EndOfMessage):
            after, _ = self.trailing_data
            if is_ambiguous(before[: len(before) - len(after)]):
                raise h11.LocalProtocolError("a bare LF, a folded line or two lengths")
        return event


def is_ambiguous(read: bytes) -> bool:
    """Whether lines that h11 has read hold a bare LF, a folded line or two lengths.

    They are a head, or what ends a chunked body: that may begin with half of the last chunk's CRLF.
    """
    lines = read.removeprefix(b"\n").split(b"\r\n")
    if read == b"\n" or any(b"\n" in line or line[:1] in {b" ", b"\t"} for line in lines):
        return True
    lengths = [line for line in lines if line[:15].lower() == b"content-length:"]
    return len(lengths) > 1 or b"," in b"".join(lengths)


class StrictProtocol(H11Protocol):
    """Hypercorn's, with a `StrictConnection`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connection = StrictConnection(h11.SERVER, max_incomplete_event_size=self.config.h11_max_incomplete_size)

    async def _send_error_response(self, status_code: int) -> None:
        """What cannot be read is answered like any other mistake, and closed."""
        error, id_ = _error(status_code), request_id(time.time(), os.urandom(RANDOM_BYTES))
        log.log(error.log_level, "%s %d %s", id_, error.status, error.code or error.type)
        body = error_json(error, id_)
        headers = {
            **error_headers(error),
            "x-request-id": id_,
            "content-length": str(len(body)),
            "connection": "close",
        }
        await self._send_h11_event(h11.Response(status_code=error.status, headers=list(headers.items())))
        await self._send_h11_event(h11.Data(data=body))
        await self._send_h11_event(h11.EndOfMessage())


def _error(status: int) -> GatewayError:
    if status == HeadTooLarge.status:
        return HeadTooLarge(f"the head is over {MAX_BYTES} bytes")
    return InvalidRequest("the request is not valid HTTP/1.1, or another server could read it in another way")
