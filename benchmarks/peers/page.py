"""The tables, and their place in docs/benchmarks.md."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.peers.figures import DIRECT, Figure, Figures, times_better
from benchmarks.peers.goals import Findings, rows
from benchmarks.peers.growth import Growth
from benchmarks.peers.sections import Section

BEGIN, END = "<!-- figures -->", "<!-- /figures -->"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def section_text(section: Section, figures: Figures) -> str:
    """A section's heading and table; last come the ratios."""
    names = [contender.name for contender in section.contenders]
    others = [name for name in names if name not in (section.base, DIRECT)]
    header = ["", *names, *(f"times better than {name}" for name in others)]
    lines = [
        [figure.title, *_values(figures, figure, names), *_ratios(figures, figure, section.base, others)]
        for trial in section.trials
        for figure in trial.figures
    ]
    return f"### {section.title}\n\n{markdown(header, lines)}"


def _values(figures: Figures, figure: Figure, names: Sequence[str]) -> list[str]:
    return [str(figures.spread(figure, name)) for name in names]


def _ratios(figures: Figures, figure: Figure, base: str, others: Sequence[str]) -> list[str]:
    ours = figures.spread(figure, base).median
    ratios = [times_better(ours, figures.spread(figure, name).median, figure) for name in others]
    return ["" if ratio is None else f"{ratio:.2f}" for ratio in ratios]


def growth_text(grown: Mapping[str, Growth]) -> str:
    """The table of memory, gateways being the columns."""
    lines = {
        "requests": [f"{one.requests}" for one in grown.values()],
        "streams left by their clients": [f"{one.streams}" for one in grown.values()],
        "MiB at the start": [f"{one.start.rss_mib:.0f}" for one in grown.values()],
        "MiB after a tenth of the requests": [f"{one.tenth.rss_mib:.0f}" for one in grown.values()],
        "MiB after all requests": [f"{one.requested.rss_mib:.0f}" for one in grown.values()],
        "MiB after the streams": [f"{one.end.rss_mib:.0f}" for one in grown.values()],
        "open files at the start, at the end": [f"{one.start.fds}, {one.end.fds}" for one in grown.values()],
        "streams the upstream still sends a second later": [f"{one.still_running}" for one in grown.values()],
    }
    return f"### Memory\n\n{markdown(['', *grown], [[title, *cells] for title, cells in lines.items()])}"


def goals_text(findings: Findings) -> str:
    """The table of what is to be reached."""
    return f"### Goals\n\n{markdown(['', 'goal', 'measured', 'reached'], rows(findings))}"


def put(page: str, figures: str) -> str:
    """The page with these figures between its marks. Raises ValueError where it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{BEGIN} and {END} must stand in the page")
    return f"{before}{BEGIN}\n\n{figures.strip()}\n\n{END}{after}"


def write(file: Path, figures: str) -> None:
    """Put them into the file."""
    file.write_text(put(file.read_text(), figures))
