"""Markdown as the tests of the documentation read it: fenced blocks, tables and links.

A block or table may carry a mark, a comment on the line above it (`<!-- run -->`), which renders as nothing.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_ORIGIN = "http://127.0.0.1:8080"

_MARK = re.compile(r"<!-- (.+) -->")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")
_COMMAND_SECONDS = 20


@frozen
class Block:
    """A fenced block; `mark` is "" where it has none."""

    language: str
    text: str
    mark: str
    line: int


@frozen
class Table:
    """A table's cells, without the row of dashes."""

    mark: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page."""
    found = []
    lines = text.splitlines()
    fences = [number for number, line in enumerate(lines) if line.startswith("```")]
    for start, end in zip(fences[::2], fences[1::2], strict=True):
        mark = _mark(lines[start - 1])
        found.append(Block(lines[start][3:], "\n".join(lines[start + 1 : end]), mark, start + 1))
    return found


def examples(page_blocks: list[Block], language: str) -> Iterator[tuple[Block, str]]:
    """Each block of a language that is to be run, and what it prints."""
    for block, following in zip(page_blocks, [*page_blocks[1:], None], strict=True):
        if block.language == language and block.mark.startswith("run"):
            prints = following.text if following is not None and following.mark == "prints" else ""
            yield block, prints


def tables(text: str) -> dict[str, Table]:
    """The marked tables of a page, by their marks."""
    found = {}
    lines = text.splitlines()
    for number, line in enumerate(lines[:-1]):
        if (mark := _mark(line)) and lines[number + 1].startswith("|"):
            rows = []
            for row in lines[number + 1 :]:
                if not row.startswith("|"):
                    break
                rows.append(tuple(cell.strip() for cell in row.strip("|").split("|")))
            found[mark] = Table(mark, rows[0], tuple(rows[2:]))
    return found


def quoted(cell: str) -> list[str]:
    """What a cell has in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def broken_links(page: Path) -> list[str]:
    """The links to other files here, or to headings, that lead nowhere."""
    return [link for link in _LINK.findall(page.read_text()) if "://" not in link and not _leads_on(page, link)]


def shell(command: str, origin: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a shell example in `folder`, with `clawgw` on the path, against the gateway at `origin`."""
    return _run(["sh", "-c", command.replace(DEFAULT_ORIGIN, origin)], folder)


def python(script: str, origin: str, folder: Path) -> str:
    """Run a Python example in `folder` against the gateway at `origin`; what it prints."""
    done = _run([sys.executable, "-c", script.replace(DEFAULT_ORIGIN, origin)], folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def assert_says(output: str, expected: str) -> None:
    """Every line of `expected` is in `output`, where `…` stands for anything within a line."""
    for line in expected.splitlines():
        pattern = ".*".join(map(re.escape, line.split("…")))
        assert re.search(pattern, output), f"{line!r} is not in:\n{output}"


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if name in ("HOME", "LANG", "TMPDIR")}
    environment = {**kept, "PATH": path, "PYTHONPATH": str(ROOT)}
    return subprocess.run(  # noqa: S603 - the documentation's own examples
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False
    )


def _mark(line: str) -> str:
    match = _MARK.fullmatch(line)
    return match[1] if match else ""


def _leads_on(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    return target.exists() and (not anchor or anchor in _anchors(target.read_text()))


def _anchors(text: str) -> set[str]:
    headings = (line.lstrip("#").strip() for line in text.splitlines() if line.startswith("#"))
    return {_NOT_IN_ANCHORS.sub("", heading.lower()).replace(" ", "-") for heading in headings}
