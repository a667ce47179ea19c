from pathlib import Path

import pytest

from benchmarks.peers.figures import ASIDE, CPU, RATE, Figures, Outcome
from benchmarks.peers.growth import Growth
from benchmarks.peers.load import Result
from benchmarks.peers.messages import PLAIN
from benchmarks.peers.page import growth_text, put, section_text, write
from benchmarks.peers.processes import Reading
from benchmarks.peers.sections import Contender, Section, Trial

CONTENDERS = [Contender("no gateway", None), Contender("ours", None), Contender("theirs", None)]
SECTION = Section("plain", "Side by side", CONTENDERS, [Trial(PLAIN, 64, [RATE, CPU, ASIDE])], "ours")


def outcome(answers: int, cpu_s: float) -> Outcome:
    return Outcome(Result(answers, 0, 0, answers, 2.0, 1, 1, 1, 1), cpu_s, 0.0)


def test_a_section_has_a_row_for_each_figure_and_the_ratios_last() -> None:
    figures = Figures()
    for ours, theirs in ((600, 100), (800, 200), (1000, 300)):
        outcomes = {"no gateway": outcome(20_000, 0.0), "ours": outcome(ours, 2.0), "theirs": outcome(theirs, 2.0)}
        figures.note(SECTION.trials[0].figures, outcomes)
    assert section_text(SECTION, figures).splitlines() == [
        "### Side by side",
        "",
        "|  | no gateway | ours | theirs | times better than theirs |",
        "| --- | --- | --- | --- | --- |",
        "| requests/s, 64 in flight | 10000 (10000 to 10000) | 400 (300 to 500) | 100 (50.0 to 150) | 4.00 |",
        "| CPU ms a request | 0.00 (0.00 to 0.00) | 2.50 (2.00 to 3.33) | 10.0 (6.67 to 20.0) | 4.00 |",
        "| … of what stores the log | 0.00 (0.00 to 0.00) | 0.00 (0.00 to 0.00) | 0.00 (0.00 to 0.00) |  |",
    ]


def test_memory_has_a_column_for_each_gateway() -> None:
    grown = Growth(
        100_000,
        10_000,
        Reading(0, 60.4, 12),
        Reading(0, 70, 12),
        Reading(0, 71, 12),
        Reading(0, 72, 14),
        still_running=3,
    )
    lines = growth_text({"ours": grown}).splitlines()
    assert lines[2] == "|  | ours |"
    assert lines[4:] == [
        "| requests | 100000 |",
        "| streams left by their clients | 10000 |",
        "| MiB at the start | 60 |",
        "| MiB after a tenth of the requests | 70 |",
        "| MiB after all requests | 71 |",
        "| MiB after the streams | 72 |",
        "| open files at the start, at the end | 12, 14 |",
        "| streams the upstream still sends a second later | 3 |",
    ]


def test_only_what_is_between_the_marks_is_written(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("# B\n\n<!-- figures -->\nold\n<!-- /figures -->\n\nafter\n")
    write(file, "new\n")
    assert file.read_text() == "# B\n\n<!-- figures -->\n\nnew\n\n<!-- /figures -->\n\nafter\n"


@pytest.mark.parametrize("page", ["", "<!-- figures -->", "<!-- /figures --> <!-- figures -->"])
def test_a_page_without_both_marks_is_left_alone(page: str) -> None:
    with pytest.raises(ValueError, match="must stand in the page"):
        put(page, "new")
