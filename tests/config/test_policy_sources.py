from pathlib import Path

import pytest

from clawgw.config.policy_sources import PolicyName, named_policies, siblings
from clawgw.config.snapshot import PolicySource
from tests.config.loading import FOLDER, mistakes, snapshot

ROUTE = '[routes.fast]\ntargets = ["echo/echo"]\npolicy = "cost:route"\n'
POLICIES = FOLDER / "policies"


def files(**sources: str) -> dict[str, bytes]:
    return {str(POLICIES / f"{name}.py"): source.encode() for name, source in sources.items()}


def test_a_named_module_is_read_from_the_folder_beside_the_configuration() -> None:
    loaded = snapshot(ROUTE, files=files(cost="x = 1"))
    assert loaded.policies == {"cost": PolicySource("policies/cost.py", POLICIES / "cost.py", b"x = 1")}


def test_the_folder_may_lie_elsewhere() -> None:
    elsewhere = ROUTE + '[policies]\npath = "/opt/p/"'
    loaded = snapshot(elsewhere, files={"/opt/p/cost.py": b""})
    assert loaded.policies == {"cost": PolicySource("/opt/p/cost.py", Path("/opt/p/cost.py"), b"")}


def test_siblings_are_read_too_once_and_however_deep() -> None:
    sources = files(
        cost="from .prices import TABLE\nfrom . import hours, missing",
        prices="def late():\n    from . import units",
        hours="from . import cost",
        units="",
        other="",
    )
    assert set(snapshot(ROUTE, files=sources).policies) == {"cost", "prices", "hours", "units"}


def test_a_policy_is_named_by_its_module_and_function() -> None:
    name = PolicyName("team_quota:by_day", "quota")
    assert (name.module, name.function) == ("team_quota", "by_day")


def test_routes_and_quotas_name_policies() -> None:
    text = f'{ROUTE}[policies]\nquota = ["team:quota", "cost:quota"]\n[routes.slow]\ntargets = ["echo/echo"]'
    loaded = snapshot(text, files=files(cost="", team="from . import sizes", sizes=""))
    assert set(loaded.policies) == {"cost", "team", "sizes"}
    assert list(named_policies(loaded.settings)) == [
        ("routes.fast.policy", PolicyName("cost:route", "route")),
        ("policies.quota[0]", PolicyName("team:quota", "quota")),
        ("policies.quota[1]", PolicyName("cost:quota", "quota")),
    ]


def test_a_quota_whose_module_is_not_there_is_a_mistake() -> None:
    assert mistakes('[policies]\nquota = ["cost:quota", "team:quota"]', files=files(cost="")) == [
        "policies.quota[1]: policies/team.py cannot be read: No such file or directory"
    ]


def test_nothing_is_read_that_no_route_names() -> None:
    assert snapshot('[routes.fast]\ntargets = ["echo/echo"]', files=files(cost="")).policies == {}


def test_a_module_that_is_not_there_is_a_mistake_of_every_route_that_names_it() -> None:
    assert mistakes(ROUTE + '[routes.slow]\ntargets = ["echo/echo"]\npolicy = "cost:slow"') == [
        "routes.fast.policy: policies/cost.py cannot be read: No such file or directory",
        "routes.slow.policy: policies/cost.py cannot be read: No such file or directory",
    ]


def test_the_version_changes_with_every_file_that_is_loaded_and_with_no_other() -> None:
    def version(**sources: str) -> str:
        return snapshot(ROUTE, files=files(**sources)).version

    before = version(cost="from . import prices", prices="a = 1", other="b = 1")
    assert version(cost="from . import prices", prices="a = 1", other="b = 2") == before
    assert version(cost="from . import prices", prices="a = 2", other="b = 1") != before
    assert version(cost="from . import prices ", prices="a = 1", other="b = 1") != before


@pytest.mark.parametrize(
    "source", [b"from . import", b"from . import a\0", b"\xff from . import a", b"-" * 100_000 + b"1"]
)
def test_a_source_that_cannot_be_parsed_has_no_siblings(source: bytes) -> None:
    assert list(siblings(source)) == []


def test_only_the_own_folder_counts() -> None:
    assert list(siblings(b"import a\nfrom b import c\nfrom .. import d\nfrom .e import f")) == ["e"]
