"""The outcome of a replay as text: passed of total by provider, then every failure with its reason."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from attrs import frozen

from tests.recordings.exchange import EXTRAS, NotReplayed
from tests.recordings.replay import Result


@frozen
class Part:
    """A table of its own, and the share of it that must pass."""

    title: str
    holds: Callable[[Result], bool]
    at_least: float


PARTS = (
    Part("recordings of the seven providers", lambda one: _is_recording(one) and not _is_extra(one), 0.98),
    Part("documented", lambda one: not _is_recording(one), 1.0),
    Part("recordings of others", lambda one: _is_recording(one) and _is_extra(one), 0.0),
)


def render(results: Sequence[Result], not_replayed: Sequence[NotReplayed]) -> str:
    """The three tables and the list of failures."""
    endpoints = Counter(one.endpoint for one in not_replayed)
    lines = [line for part in PARTS for line in _table(part.title, [one for one in results if part.holds(one)])]
    lines += ["no endpoint of the gateway: " + ", ".join(f"{name} {count}" for name, count in endpoints.items()), ""]
    for result in results:
        lines += [f"FAILED {result.exchange.title}", *(f"  {line}" for line in result.wrong)] if result.wrong else []
    return "\n".join(lines)


def shortfalls(results: Sequence[Result]) -> Iterator[str]:
    """Each part of which too little has passed; one that is empty has not passed."""
    for part in PARTS:
        chosen = [one for one in results if part.holds(one)]
        share = sum(not one.wrong for one in chosen) / len(chosen) if chosen else 0.0
        if share < part.at_least:
            yield f"{part.title}: {share:.1%} passed, {part.at_least:.0%} must"


def _is_recording(result: Result) -> bool:
    return result.exchange.collection == "recordings"


def _is_extra(result: Result) -> bool:
    return result.exchange.provider in EXTRAS


def _table(title: str, chosen: Sequence[Result]) -> list[str]:
    names = dict.fromkeys(one.exchange.provider for one in chosen)
    rows = [*((name, [one for one in chosen if one.exchange.provider == name]) for name in names), ("all", chosen)]
    return [title, *(_row(name, theirs) for name, theirs in rows if theirs), ""]


def _row(name: str, results: Iterable[Result]) -> str:
    passed = Counter(not one.wrong for one in results)
    return f"  {name:14}{passed[True]:5} / {passed.total():<5}{passed[True] / passed.total():7.1%}"
