"""`clawgw.fact`: equal by value and hashable like `attrs.frozen`, and guarded by the type checker."""

import subprocess
import sys
from pathlib import Path

from attrs import evolve, field
from cattrs import structure

from clawgw.fact import fact

ROOT = Path(__file__).resolve().parents[1]
ASSIGNS = """
from clawgw.fact import fact

@fact
class Point:
    x: int

Point(1).x = 2
"""


@fact
class Point:
    """Something to make."""

    x: int
    names: tuple[str, ...] = field(default=(), repr=False)


def test_it_is_a_value() -> None:
    assert Point(1) == Point(1, ())
    assert Point(1) != Point(2)
    assert {Point(1): "here"}[Point(1)] == "here"
    assert repr(Point(1, ("secret",))) == "Point(x=1)"
    assert evolve(Point(1), x=2) == Point(2) == structure({"x": 2}, Point)


def test_it_has_slots() -> None:
    assert not hasattr(Point(1), "__dict__")


def test_the_type_checker_guards_it(tmp_path: Path) -> None:
    file = tmp_path / "assigns.py"
    file.write_text(ASSIGNS)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(file)]
    found = subprocess.run(  # noqa: S603 - mypy, on a file of our own
        command, cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert 'Property "x" defined in "Point" is read-only' in found.stdout
    assert "Found 1 error" in found.stdout
