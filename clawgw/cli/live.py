"""`clawgw check --live`: one tiny chat with every key of every provider that is ready."""

import json
import logging
import time
from collections.abc import Iterator, Sequence

import attrs
import trio
from attrs import asdict, frozen

from clawgw.cli.table import aligned
from clawgw.config.settings import Settings
from clawgw.config.snapshot import ReadyProvider, Snapshot
from clawgw.engine.attempt import Attempt
from clawgw.engine.http_upstream import HttpUpstream
from clawgw.engine.upstream import Upstream
from clawgw.policy import Target
from clawgw.routing.outcome import final_error
from clawgw.serve.wiring import live_provider
from clawgw.wire.codec import WireTarget
from clawgw.wire.failure import Failure, WireError
from clawgw.wire.operations import operation
from clawgw.wire.request import ChatRequest

WITHIN_S = 30.0
_BODY = {"messages": [{"role": "user", "content": "Say OK."}], "max_tokens": 16}


@frozen
class Trial:
    """What came of one key. `key` counts from 1; 0: the provider needs none. `error` None: it answered."""

    provider: str
    key: int
    model: str
    error: str | None
    ms: int


@frozen
class Subject:
    """A provider with one of its keys alone, or with none."""

    provider: ReadyProvider
    key: int
    model: str


def run_live(snapshot: Snapshot, as_json: bool) -> int:  # noqa: FBT001 - called from one place
    """Try them all at once and print what came of it; the exit code: 1 if one failed."""
    logging.getLogger("clawgw").addHandler(logging.NullHandler())  # the table says what went wrong
    trials = trio.run(try_all, list(subjects(snapshot)))
    ok = all(trial.error is None for trial in trials)
    if as_json:
        print(json.dumps({"ok": ok, "trials": [asdict(trial) for trial in trials]}))
    else:
        print("\n".join(_table(trials)))
    return 0 if ok else 1


async def try_all(subjects: Sequence[Subject]) -> list[Trial]:
    """A trial for each, in the same order."""
    network = HttpUpstream()
    trials: dict[int, Trial] = {}

    async def note(number: int, subject: Subject) -> None:
        trials[number] = await _trial(subject, network)

    try:
        async with trio.open_nursery() as nursery:
            for number, subject in enumerate(subjects):
                nursery.start_soon(note, number, subject)
    finally:
        with trio.move_on_after(1, shield=True):
            await network.aclose()
    return [trials[number] for number in range(len(subjects))]


async def _trial(subject: Subject, network: Upstream) -> Trial:
    started = trio.current_time()
    error = await _try(subject, network) if subject.model else "no model is known to ask: set default_model"
    ms = round((trio.current_time() - started) * 1000)
    return Trial(subject.provider.name, subject.key, subject.model, error, ms)


async def _try(subject: Subject, network: Upstream) -> str | None:
    """Why it failed, or None."""
    provider = live_provider(subject.provider, Settings(), network, {})
    target = Target(subject.provider.name, subject.model)
    request = ChatRequest({**_BODY, "model": subject.model}, subject.model, stream=False, include_usage=False)
    wire_target = WireTarget(target.provider, target.model, subject.provider.api_version)
    now = time.time()
    attempt = Attempt(
        target=target,
        trigger="primary",
        provider=provider,
        operation=operation(request, provider.codec, wire_target, now),
        streaming=False,
        deadline=trio.current_time() + WITHIN_S,
        now=now,
        tried=set(),
    )
    try:
        await attempt.run()
    except WireError as error:
        return _reason(target, error.failure)
    finally:
        attempt.abort()
    return None


def _reason(target: Target, failure: Failure) -> str:
    """The failure as a client would see it: nothing is quoted of the answer to a refused key."""
    return final_error([(target, failure)]).message.removeprefix(f"{target}: ")


def subjects(snapshot: Snapshot) -> Iterator[Subject]:
    """What there is to try."""
    for provider in snapshot.providers.values():
        if provider.not_ready is None:
            model = _model(provider, snapshot)
            for number, key in enumerate(provider.keys, 1):
                yield Subject(attrs.evolve(provider, keys=(key,)), number, model)
            if not provider.keys:
                yield Subject(provider, 0, model)


def _model(provider: ReadyProvider, snapshot: Snapshot) -> str:
    """Its default model, else the first that a route asks of it; "" where there is none."""
    named = (
        target.model
        for route in snapshot.routes.values()
        for target in route.targets
        if target.provider == provider.name and target.model != "*"
    )
    return provider.default_model or next(named, "")


def _table(trials: Sequence[Trial]) -> Iterator[str]:
    rows = [("provider", "key", "model", "ms", "result")]
    rows += [(t.provider, f"#{t.key}" if t.key else "-", t.model, str(t.ms), t.error or "ok") for t in trials]
    return aligned(rows)
