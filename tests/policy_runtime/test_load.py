import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from clawgw.config.load import load
from clawgw.config.mistakes import ConfigError
from clawgw.config.snapshot import Snapshot
from clawgw.policies.load import load_policies
from clawgw.policy import Plan, in_turn
from tests.policy_runtime.sources import FACTS, VIEWS

GOOD = "from clawgw.policy import in_turn\ndef route(r, t, o): return in_turn(t, o['why'])\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    return tmp_path


def snapshot(folder: Path, policies: Mapping[str, str], **files: str) -> Snapshot:
    for name, text in files.items():
        (folder / "policies" / f"{name}.py").write_text(text)
    routes = (f'[routes.{name}]\ntargets = ["echo/a", "echo/b"]\npolicy = "{each}"' for name, each in policies.items())
    return load("\n".join(routes), {}, read_file=Path.read_bytes, file=folder / "gateway.toml")


def problems(folder: Path, policies: Mapping[str, str], **files: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_policies(snapshot(folder, policies, **files))
    return [str(mistake) for mistake in caught.value.mistakes]


def ours() -> list[str]:
    return [name for name in sys.modules if name.startswith("clawgw_policies_")]


def test_each_policy_is_there_by_its_name(folder: Path) -> None:
    loaded = load_policies(snapshot(folder, {"fast": "mine:route", "slow": "mine:route"}, mine=GOOD))
    assert list(loaded.functions) == ["mine:route"]
    assert loaded.functions["mine:route"](FACTS, VIEWS, {"why": "so"}) == in_turn(VIEWS, "so")
    assert ours()
    loaded.unload()
    assert ours() == []


def test_a_configuration_without_policies_has_none(folder: Path) -> None:
    loaded = load_policies(snapshot(folder, {}))
    assert loaded.functions == {}
    loaded.unload()


def test_a_changed_file_is_loaded_anew_beside_the_old_one(folder: Path) -> None:
    """The same length, the same second: what a cache of bytecode does not tell apart."""
    file = folder / "policies" / "mine.py"
    before = snapshot(folder, {"fast": "mine:route"}, mine=GOOD.replace("o['why']", "'old'"))
    old = load_policies(before)
    stamp = file.stat().st_mtime
    after = snapshot(folder, {"fast": "mine:route"}, mine=GOOD.replace("o['why']", "'new'"))
    os.utime(file, (stamp, stamp))
    new = load_policies(after)
    reasons = []
    for loaded in (old, new):
        plan = loaded.functions["mine:route"](FACTS, VIEWS, {})
        assert isinstance(plan, Plan)
        reasons.append(plan.reason)
        loaded.unload()
    assert reasons == ["old", "new"]
    assert before.version != after.version
    assert not list(folder.rglob("*.pyc"))


def test_every_mistake_is_told_at_its_route(folder: Path) -> None:
    names = {"a": "good:route", "b": "broken:route", "c": "broken:route", "d": "good:nothing"}
    assert problems(folder, names, good=GOOD, broken="\nx = y") == [
        "routes.b.policy: policies/broken.py:2: NameError: name 'y' is not defined",
        "routes.c.policy: policies/broken.py:2: NameError: name 'y' is not defined",
        "routes.d.policy: policies/good.py: nothing is not there",
    ]
    assert ours() == []


def test_quotas_are_loaded_with_the_policies_of_routes(folder: Path) -> None:
    (folder / "policies" / "mine.py").write_text(f"{GOOD}def quota(r, o): return [o['why']]\n")
    text = '[routes.a]\ntargets = ["echo/a"]\npolicy = "mine:route"\n[policies]\nquota = ["mine:quota"]'
    loaded = load_policies(load(text, {}, read_file=Path.read_bytes, file=folder / "gateway.toml"))
    assert list(loaded.functions) == ["mine:route", "mine:quota"]
    assert loaded.functions["mine:quota"](FACTS, {"why": "so"}) == ["so"]
    loaded.unload()


def test_a_route_is_no_quota(folder: Path) -> None:
    (folder / "policies" / "mine.py").write_text(GOOD)
    text = '[routes.a]\ntargets = ["echo/a"]\npolicy = "mine:route"\n[policies]\nquota = ["mine:route", "mine:no"]'
    with pytest.raises(ConfigError) as caught:
        load_policies(load(text, {}, read_file=Path.read_bytes, file=folder / "gateway.toml"))
    assert [str(mistake) for mistake in caught.value.mistakes] == [
        "policies.quota[0]: policies/mine.py: route must take two arguments: request, options",
        "policies.quota[1]: policies/mine.py: no is not there",
    ]
    assert ours() == []


def test_one_that_fails_only_here_is_a_mistake_too(folder: Path) -> None:
    fickle = f"import os\nif os.getpid() == {os.getpid()}:\n    raise SystemExit\n{GOOD}"
    assert problems(folder, {"a": "mine:route"}, mine=fickle) == ["routes.a.policy: policies/mine.py:3: SystemExit"]
    assert ours() == []
