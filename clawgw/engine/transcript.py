"""What requests and their answers say, for the log: gathered as it is said, redacted before it is handed on.

A pattern of the configuration may take any time for a text that it was not made for, and nothing else runs meanwhile:
`re` lets no thread of Python's go on. So all of it has a limit, and is done where that can be kept.
"""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Self

import trio
from attrs import define, field

from clawgw.config.snapshot import Snapshot
from clawgw.ledger.record import DROPPED, Bodies
from clawgw.ledger.redaction import Redactor
from clawgw.policies.guard import run_guarded
from clawgw.policies.quarantine import Quarantine
from clawgw.wire.assemble import Assembly
from clawgw.wire.events import Done, Event

log = logging.getLogger("clawgw")

LIMIT_S = 0.25
"""For a request and its answer. After one that has taken longer, no bodies are logged for a while."""
_ROOM = 4
"""So many times what is kept of a stream is put together: every chunk counts more than what it says."""


@define(eq=False)
class BodyKeeper:
    """How bodies are kept under one configuration: at most `most` bytes of each. For the main thread."""

    redactor: Redactor
    most: int
    _quarantine: Quarantine = field(factory=Quarantine)

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self | None:
        """As `[log]` says; None: they are not kept."""
        settings = snapshot.settings.log
        if not settings.bodies:
            return None
        return cls(Redactor.of(snapshot.secrets(), settings.redact), settings.max_body_bytes)

    def transcript(self, request: Mapping[str, Any]) -> "Transcript":
        """For one request, whose body this is."""
        return Transcript(self, request)

    def keep(self, request: Mapping[str, Any], response: Mapping[str, Any] | None, **how: bool) -> Bodies:
        """As they may be written down. `how`: what `Redactor.json` is to know of the response."""
        if self._quarantine.holds(trio.current_time()):
            return DROPPED
        kept = run_guarded(partial(self._redacted, **how), (request, response), _as_it_is, limit_s=LIMIT_S)
        if isinstance(kept, Bodies):
            self._quarantine.went_well()
            return kept
        if kept.kind == "overrun":
            self._quarantine.overran(trio.current_time())
        log.error("what a request says is not logged, for it cannot be redacted: %s", kept.text)
        return DROPPED

    def _redacted(self, request: Any, response: Any, **how: bool) -> Bodies:
        said = self.redactor.json(request, self.most)
        return Bodies(said, None if response is None else self.redactor.json(response, self.most, **how))


@define(eq=False)
class Transcript:
    """Of one request. Of a stream, more than is kept is not put together."""

    keeper: BodyKeeper
    request: Mapping[str, Any]
    _answer: Mapping[str, Any] | None = field(init=False, default=None)
    _error: Mapping[str, Any] | None = field(init=False, default=None)
    _assembly: Assembly = field(init=False, repr=False)
    _whole: bool = field(init=False, default=False)

    @_assembly.default
    def _empty(self) -> Assembly:
        return Assembly(_ROOM * self.keeper.most)

    def take(self, events: Sequence[Event]) -> None:
        """Some more of a stream."""
        self._assembly.take(events)
        self._whole = isinstance(events[-1], Done)

    def answer(self, body: Mapping[str, Any]) -> None:
        """A whole answer."""
        self._answer, self._whole = body, True

    def fail(self, error: Mapping[str, Any]) -> None:
        """The error that the client gets, in place of an answer or at the end of its stream."""
        self._error = error

    def bodies(self) -> Bodies:
        """What is known by now, as it may be written down."""
        said = {**(self._answer or self._assembly.so_far()), **(self._error or {})}
        cut = self._assembly.is_over
        return self.keeper.keep(self.request, said or None, whole=self._whole and not cut, cut=cut)


def _as_it_is(kept: Any) -> Any:
    return kept
