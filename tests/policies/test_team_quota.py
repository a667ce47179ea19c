from pathlib import Path
from typing import Any

import pytest

from clawgw.policy import Charge
from clawgw.testing import facts, load_policy

quota = load_policy(Path(__file__).parents[2] / "policies" / "team_quota.py", "quota")

SEARCH = {"requests_per_minute": 600, "tokens_per_minute": 500_000}
ADS = {"budget_usd": 200.0, "per": "month"}
OTHERS = {"concurrent": 2}
OPTIONS = {"teams": {"search": SEARCH, "ads": ADS, "others": OTHERS}}


@pytest.mark.parametrize(
    ("team", "charge"),
    [
        ("search", Charge("team:search", requests_per_minute=600, tokens_per_minute=500_000)),
        ("ads", Charge("team:ads", budget_usd=200.0, per="month")),
        ("new", Charge("team:new", concurrent=2)),
    ],
)
def test_a_team_is_charged_whichever_of_its_keys_is_used(team: str, charge: Charge) -> None:
    for key in ("one", "another"):
        assert quota(facts(key=key, labels={"team": team, "site": "here"}), OPTIONS) == [charge]


def test_a_key_without_a_team_is_not_charged() -> None:
    assert quota(facts(labels={"site": "search"}), OPTIONS) == []


@pytest.mark.parametrize(("team", "charged"), [("search", 1), ("new", 0)])
def test_without_sizes_for_others_only_those_listed_are_charged(team: str, charged: int) -> None:
    only: dict[str, Any] = {"teams": {"search": SEARCH}}
    assert len(quota(facts(labels={"team": team}), only)) == charged
