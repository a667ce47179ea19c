"""An answer about usage as a table for people: a line for each group, a bar for its share, and the total."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from clawgw.cli.table import aligned

_NUMBERS: Final = ("requests", "errors", "prompt", "completion", "USD", "p50 ms", "p95 ms")
_LONGEST_BAR: Final = 30
_SHORTEST_BAR: Final = 5
_LONGEST_NAME: Final = 40
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


def lines(answer: Mapping[str, Any], width: int, *, fancy: bool) -> Iterator[str]:
    """The table, at most `width` wide where its names and numbers fit. `fancy`: bars may be of block characters."""
    groups = answer["data"]
    names = answer["group_by"]
    table = [
        (*names, *_NUMBERS),
        *((*(_name(group[name]) for name in names), *_numbers(group)) for group in groups),
    ]
    if names:
        table.append((*("total", *[""] * (len(names) - 1)), *_numbers(answer["total"])))
    measured, bars = _bars(groups)
    rows = list(aligned(_right_aligned(table, len(names))))
    room = min(width - max(map(len, rows)) - 2, _LONGEST_BAR)
    if names and groups and room >= _SHORTEST_BAR:
        head = f"share of {measured}"
        heads = [head if len(head) <= room else "share", *(_bar(bar, room, fancy=fancy) for bar in bars), ""]
        rows = list(aligned([*zip(rows, heads, strict=True)]))
    yield from rows
    if answer["more"]:
        yield f"{answer['more']} more groups are in the total only"


def _numbers(figures: Mapping[str, Any]) -> tuple[str, ...]:
    cost = figures["cost_usd"]
    return (
        *(f"{figures[name]:,}" for name in ("requests", "errors", "prompt_tokens", "completion_tokens")),
        "-" if cost is None else f"{cost:,.6f}" if 0 < cost < 0.01 else f"{cost:,.2f}",
        *("-" if ms is None else f"{ms:,.0f}" for ms in (figures["p50_duration_ms"], figures["p95_duration_ms"])),
    )


def _name(value: str | None) -> str:
    """As it may be shown in a terminal: clients choose some of these names."""
    if value is None:
        return "-"
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in value)
    return shown if len(shown) <= _LONGEST_NAME else f"{shown[: _LONGEST_NAME - 1]}…"


def _bars(groups: Sequence[Mapping[str, Any]]) -> tuple[str, Sequence[float]]:
    """What the bars show, and each one's part of the longest: of the cost, or of the requests where none has a cost."""
    measured, values = "USD", [group["cost_usd"] or 0.0 for group in groups]
    if not any(values):
        measured, values = "requests", [float(group["requests"]) for group in groups]
    most = max(values, default=0.0)
    return measured, [value / most for value in values]


def _bar(part: float, room: int, *, fancy: bool) -> str:
    if not fancy:
        return "#" * round(part * room)
    whole, eighths = divmod(round(part * room * 8), 8)
    return (_EIGHTHS[8] * whole + _EIGHTHS[eighths]).rstrip()


def _right_aligned(table: Sequence[Sequence[str]], names: int) -> Sequence[Sequence[str]]:
    """The numbers of each column end below each other."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [[cell if place < names else cell.rjust(widths[place]) for place, cell in enumerate(row)] for row in table]
