from pathlib import Path

import pytest

from clawgw.policy import Charge, RequestFacts
from clawgw.testing import check_charges, facts, load_policy

quota = load_policy(Path(__file__).parents[2] / "policies" / "user_quota.py", "quota")

OPTIONS = {"requests_per_user": 20, "usd_per_user": 0.5}


@pytest.mark.parametrize(
    ("request_facts", "bucket"),
    [
        (facts(user="ann"), "user:ann"),
        (facts(metadata={"user_id": "ann"}), "user:ann"),
        (facts(user="ann", metadata={"user_id": "bob"}), "user:ann"),
        (facts(user="", metadata={"user_id": "bob"}), "user:bob"),
        (facts(user="ann", key="app", labels={"team": "search"}), "user:ann"),
        (facts(key="app"), "user:"),
        (facts(metadata={"user_id": ""}), "user:"),
    ],
)
def test_who_is_charged(request_facts: RequestFacts, bucket: str) -> None:
    assert quota(request_facts, OPTIONS) == [Charge(bucket, requests_per_minute=20, budget_usd=0.5, per="day")]


def test_the_longest_name_that_a_request_may_have_does_not_escape() -> None:
    check_charges(quota(facts(user="\N{PILE OF POO}" * 512), OPTIONS))
