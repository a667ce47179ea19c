"""What goes on as it is where a configuration takes the place of another."""

from pathlib import Path
from typing import Any, cast

import pytest

from clawgw.config.load import load
from clawgw.engine.live import Live
from clawgw.policies.load import load_policies
from clawgw.routing.catalogue import bundled
from clawgw.serve.limiting import LimitKeeper
from clawgw.serve.wiring import Foundation, next_live

ENVIRON = {"KEY": "sk-1", "OTHER_KEY": "sk-2"}
PROVIDERS = """
[providers.openai]
api_keys = ["env:KEY"]
[providers.groq]
api_keys = ["env:KEY"]
"""


def live(text: str, previous: Live | None = None) -> Live:
    snapshot = load(text, ENVIRON, read_file=Path.read_bytes)
    limits = LimitKeeper.of(snapshot, "i1", None)
    foundation = Foundation(
        bundled(), cast("Any", None), {}, lambda _policy, _failure: None, limits, lambda _scope, _kind: None
    )
    policies = load_policies(snapshot)
    policies.unload()
    return next_live(foundation, snapshot, policies, previous)


def kept(old: Live, new: Live) -> set[str]:
    return {name for name, provider in new.providers.items() if old.providers.get(name) is provider}


@pytest.mark.parametrize(
    "text",
    [
        PROVIDERS,
        f"{PROVIDERS}[defaults]\ntemperature = 0.5",
        f'{PROVIDERS}[routes.fast]\ntargets = ["openai/m"]',
        f'{PROVIDERS}[providers.mistral]\napi_keys = ["env:KEY"]',
    ],
)
def test_what_does_not_touch_the_providers_keeps_them(text: str) -> None:
    old = live(PROVIDERS)
    new = live(text, old)
    assert kept(old, new) == {"openai", "groq", "echo"}
    assert new.budgets is old.budgets


@pytest.mark.parametrize(
    "change",
    ['api_keys = ["env:OTHER_KEY"]', 'api_keys = ["env:KEY", "env:OTHER_KEY"]', 'base_url = "https://x.example"'],
)
def test_a_provider_that_has_changed_begins_anew(change: str) -> None:
    old = live(PROVIDERS)
    new = live(f'[providers.openai]\n{change}\n[providers.groq]\napi_keys = ["env:KEY"]', old)
    assert kept(old, new) == {"groq", "echo"}


def test_other_rules_for_breakers_begin_with_other_breakers() -> None:
    old = live(PROVIDERS)
    new = live(f"{PROVIDERS}[breaker]\nopen_s = 11", old)
    assert kept(old, new) == set()
    assert new.budgets is old.budgets


@pytest.mark.parametrize("table", ["retry", "hedge", "silence"])
def test_another_ratio_begins_with_another_budget(table: str) -> None:
    old = live(PROVIDERS)
    new = live(f"{PROVIDERS}[{table}]\nbudget_ratio = 0.15", old)
    assert kept(old, new) == {"openai", "groq", "echo"}
    assert new.budgets is not old.budgets
