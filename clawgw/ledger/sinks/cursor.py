"""How far a sink has got with what a writer wrote, in a small file beside it.

A cursor moves when the store has said that all up to there is durable. One that is lost, or that could not be saved,
costs nothing but work: what is delivered again is the same record.
"""

import json
from pathlib import Path
from typing import Self

from attrs import asdict, frozen

from clawgw.ledger.journal.spool import WriterFolder


@frozen(order=True)
class Cursor:
    """All before `offset` in that segment is delivered, and all earlier segments. `rows`: final records so far."""

    segment: int = 0
    offset: int = 0
    rows: int = 0

    @classmethod
    def load(cls, folder: WriterFolder, sink: str) -> Self:
        """As it was saved last, or the beginning."""
        try:
            return cls(**json.loads(_path(folder, sink).read_bytes()))
        except (OSError, ValueError, TypeError):
            return cls()

    def save(self, folder: WriterFolder, sink: str) -> None:
        """Raises OSError."""
        path = _path(folder, sink)
        unfinished = path.with_suffix(".cursor-new")
        unfinished.write_text(json.dumps(asdict(self)))
        unfinished.replace(path)


def _path(folder: WriterFolder, sink: str) -> Path:
    return folder.path / f"{sink}.cursor"
