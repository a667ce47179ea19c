"""Reloads at a site that writes down what it is told, of a file that is really there."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import trio
from attrs import define, field

from clawgw.config.files import Choice, load_chosen
from clawgw.config.mistakes import Mistake
from clawgw.serve.presence import Word
from clawgw.serve.readings import Readings
from clawgw.serve.reload import NEVER_S, Reloading
from clawgw.web.exposition import Reloads

GOOD = "[defaults]\ntemperature = {}"


@define
class FakeSite:
    """`during` is called in every `prepare`; its mistakes are those of the site."""

    done: list[tuple[object, ...]] = field(factory=list)
    during: Callable[[], Sequence[Mistake]] = lambda: ()

    async def prepare(self, readings: Readings) -> Sequence[Mistake]:
        self.done.append(("prepare", readings))
        return self.during()

    async def swap(self, reloads: Reloads) -> None:
        self.done.append(("swap", reloads))

    async def keep(self, reloads: Reloads) -> None:
        self.done.append(("keep", reloads))

    def verbs(self) -> list[object]:
        return [each[0] for each in self.done]


@define
class Setting:
    file: Path
    nursery: trio.Nursery
    site: FakeSite = field(factory=FakeSite)
    reloading: Reloading = field(init=False)
    said: trio.MemoryReceiveChannel[Word] = field(init=False)

    def start(self, choice: Choice | None = None, watch_s: float = NEVER_S) -> None:
        choice, readings = choice or Choice(config=str(self.file)), Readings()
        snapshot = load_chosen(choice, {}, readings.read)
        say, self.said = trio.open_memory_channel[Word](10)
        self.reloading = Reloading(choice, snapshot, readings, say.send_nowait, watch_s)
        self.nursery.start_soon(self.reloading.run, self.site)

    def write(self, text: str) -> None:
        self.file.write_text(text)

    async def reload(self) -> Word:
        self.reloading.ask()
        return await self.said.receive()

    def version(self) -> str:
        return load_chosen(Choice(config=str(self.file)), {}, Path.read_bytes).version


@pytest.fixture
def s(
    nursery: trio.Nursery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Setting:
    caplog.set_level(logging.INFO, "clawgw")
    nursery.cancel_scope.deadline = trio.current_time() + 20
    monkeypatch.setattr("clawgw.serve.reload.SETTLE_S", 0.01)
    monkeypatch.setattr("os.environ", {})
    setting = Setting(tmp_path / "gateway.toml", nursery)
    setting.write(GOOD.format(0.1))
    return setting


async def test_a_good_one_is_prepared_and_swapped_in(s: Setting, caplog: pytest.LogCaptureFixture) -> None:
    s.start()
    old = s.version()
    s.write(GOOD.format(0.2))
    new = s.version()
    word = await s.reload()
    assert (word.ok, word.version, word.mistakes) == (True, new, ())
    assert s.reloading.snapshot.version == new != old
    assert s.site.done == [("prepare", s.reloading.served), ("swap", Reloads(ok=1))]
    assert s.reloading.served.changed() == []
    assert f"reloaded: configuration {new}, before it {old}" in caplog.text


async def test_a_bad_one_is_told_whole_and_changes_nothing(
    s: Setting, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    s.start()
    old, served = s.version(), s.reloading.served
    s.write("[server]\nworkerz = 1\n[defaults]\ntemperature = 'hot'")
    word = await s.reload()
    said = [
        "server.workerz: unknown key, did you mean workers?",
        "defaults.temperature: must be a number, not a string",
    ]
    assert (word.ok, word.version, [*map(str, word.mistakes)]) == (False, old, said)
    assert s.site.done == [("keep", Reloads(failed=1))]
    assert (s.reloading.snapshot.version, s.reloading.served) == (old, served)
    assert capfd.readouterr().err.splitlines() == said
    assert f"reload failed, configuration {old} goes on serving" in caplog.text


async def test_what_needs_a_restart_and_what_the_site_minds_are_told_together(s: Setting) -> None:
    s.start()
    s.site.during = lambda: [Mistake("routes.a.policy", "no good")]
    s.write("[server]\nworkers = 2")
    word = await s.reload()
    assert [*map(str, word.mistakes)] == ["server.workers: needs a restart", "routes.a.policy: no good"]
    assert s.site.verbs() == ["prepare", "keep"]


async def test_a_file_that_is_gone_is_not_taken_for_an_empty_one(s: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(s.file.parent)
    s.start(Choice())
    old = s.reloading.snapshot.version
    s.file.unlink()
    word = await s.reload()
    assert (word.ok, word.version) == (False, old)
    assert [*map(str, word.mistakes)] == ["gateway.toml: is gone; to go on without it, leave an empty file"]
    s.write("")
    assert (await s.reload()).ok


async def test_a_file_may_appear_where_there_was_none(s: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(s.file.parent)
    s.file.unlink()
    s.start(Choice())
    s.write(GOOD.format(0.3))
    assert (await s.reload()).ok
    assert s.reloading.snapshot.settings.defaults.temperature == 0.3


async def test_a_site_that_fails_goes_on_with_the_old_one(s: Setting, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> Sequence[Mistake]:
        raise RuntimeError("sk-secret")

    s.start()
    s.site.during = fail
    word = await s.reload()
    assert [*map(str, word.mistakes)] == ["reload: failed unexpectedly (RuntimeError)"]
    assert s.site.verbs() == ["prepare", "keep"]
    assert "internal_error: RuntimeError at " in caplog.text
    assert "sk-secret" not in caplog.text
    s.site.during = lambda: ()
    assert (await s.reload()).ok
    assert s.reloading.reloads == Reloads(ok=1, failed=1)


async def test_warnings_are_repeated(s: Setting, capfd: pytest.CaptureFixture[str]) -> None:
    (s.file.parent / "key").write_text("sk-secret")
    s.start()
    s.write("[providers.openai]\napi_keys = ['file:key', 'env:OTHER']")
    assert (await s.reload()).ok
    assert capfd.readouterr().err.splitlines() == [
        "warning: providers.openai.api_keys: OTHER is not set; the other keys are used"
    ]


async def test_asked_during_a_reload_it_reloads_once_more(s: Setting) -> None:
    """Whatever has changed since the files were read is seen as well; that it was asked twice does not matter."""

    def ask_meanwhile() -> Sequence[Mistake]:
        s.site.during = lambda: ()
        s.write(GOOD.format(0.3))
        s.reloading.ask()
        s.reloading.ask()
        return ()

    s.start()
    s.site.during = ask_meanwhile
    s.write(GOOD.format(0.2))
    first, second = await s.reload(), await s.said.receive()
    assert second.version == s.version() != first.version
    await trio.testing.wait_all_tasks_blocked(0.01)
    assert s.site.verbs() == ["prepare", "swap"] * 2


async def test_a_reload_waits_until_all_is_at_rest(s: Setting) -> None:
    s.start()
    async with s.reloading.at_rest:
        s.reloading.ask()
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert s.site.done == []
    assert (await s.said.receive()).ok


async def test_where_files_are_watched_a_change_is_a_reason(s: Setting, caplog: pytest.LogCaptureFixture) -> None:
    s.start(watch_s=0.01)
    old = s.version()
    s.write(GOOD.format(0.2))
    word = await s.said.receive()
    assert (word.ok, word.version) == (True, s.version())
    assert f"changed: {s.file}" in caplog.text
    s.write("[")
    assert not (await s.said.receive()).ok
    s.write(GOOD.format(0.1))
    word = await s.said.receive()
    assert (word.ok, word.version) == (True, old)
    assert s.site.verbs() == ["prepare", "swap", "keep", "prepare", "swap"]


async def test_where_files_are_watched_it_still_can_be_asked(s: Setting) -> None:
    s.start(watch_s=1000)
    assert (await s.reload()).ok


async def test_a_file_that_is_being_written_is_given_time(s: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty file, seen between its truncation and its writing, would be a good configuration."""
    settled = trio.Event()
    monkeypatch.setattr("clawgw.serve.reload.trio.sleep", lambda _s: settled.wait())
    s.start(watch_s=0.01)
    s.write("")
    await trio.testing.wait_all_tasks_blocked(0.1)
    assert s.site.done == []
    s.write(GOOD.format(0.2))
    settled.set()
    assert (await s.said.receive()).version == s.version()
