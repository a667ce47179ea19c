from hashlib import sha256

from clawgw.config.load import load
from clawgw.limits.bucket import NANO_DOLLARS, Bucket
from clawgw.limits.budgets import budgets

TEXT = f"""
[[keys]]
name = "alice"
sha256 = "{0:064}"
labels = {{ team = "search", tier = "gold" }}
limits = {{ requests_per_minute = 5 }}
budget = {{ usd = 5, per = "day" }}
[[keys]]
name = "bob"
sha256 = "{1:064}"
labels = {{ team = "search" }}
[limits.labels."team:search"]
budget = {{ usd = 50, per = "month" }}
[limits.labels."tier:gold"]
tokens_per_minute = 5
[routes.fast]
targets = ["gemini/m"]
budget = {{ usd = 0.5, per = "hour" }}
[routes.slow]
targets = ["google/m"]
[providers.gemini]
api_keys = ["env:A", "env:B"]
limits = {{ concurrent = 5 }}
budget = {{ usd = 100, per = "month" }}
key_budget = {{ usd = 60, per = "day" }}
[providers.groq]
api_keys = ["env:A"]
"""


def fingerprint(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:16]


def test_every_budget_once_under_the_name_that_is_charged() -> None:
    snapshot = load(TEXT, {"A": "sk-a", "B": "sk-b"}, read_file=lambda _: b"")
    assert budgets(snapshot) == (
        Bucket("key", "alice", "usd", 5 * NANO_DOLLARS, "day"),
        Bucket("label", "team:search", "usd", 50 * NANO_DOLLARS, "month"),
        Bucket("route", "fast", "usd", NANO_DOLLARS // 2, "hour"),
        Bucket("provider", "google", "usd", 100 * NANO_DOLLARS, "month"),
        Bucket("provider_key", f"google/{fingerprint('sk-a')}", "usd", 60 * NANO_DOLLARS, "day"),
        Bucket("provider_key", f"google/{fingerprint('sk-b')}", "usd", 60 * NANO_DOLLARS, "day"),
    )


def test_none_where_there_are_none() -> None:
    assert budgets(load("", {}, read_file=lambda _: b"")) == ()
