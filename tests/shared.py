"""Where the recorded and documented exchanges lie, and the mark for tests that need them."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(os.environ.get("CLAWGW_SHARED", Path(__file__).resolve().parents[2] / "shared"))

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir() and not os.environ.get("CI"), reason=f"the recorded exchanges are not at {SHARED}"
)


def exchanges(collection: str, **wanted: object) -> list[dict[str, Any]]:
    """Of `recordings` or `documented`, those whose index row has all of `wanted`; none where the data is missing."""
    folder = SHARED / collection
    index = folder / "index.json"
    if not index.is_file():
        return []
    rows = json.loads(index.read_text())
    chosen = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    return [json.loads((folder / row["file"]).read_text()) for row in chosen]
