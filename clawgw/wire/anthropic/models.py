"""What differs between Claude models, as data: which release changed what, and the vendor's page that says so.

A model's quirks are those of the oldest Claude with every later change applied that its family has reached. A name of a
family nobody here knows gets all changes, because newer models refuse more; a name that is no Claude's (another vendor
who speaks this dialect) is taken for Sonnet 4.5, which knows the dialect as it was copied.
"""

import re
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any

from attrs import evolve, frozen

Version = tuple[int, int]


class Thinking(Enum):
    """How a model is asked to think: not at all, with a budget in tokens, or at a level of effort."""

    NONE = "none"
    BUDGET = "enabled"
    ADAPTIVE = "adaptive"


@frozen
class Quirks:
    """One model's. The defaults are the oldest Claude's."""

    max_tokens: int = 4096
    """The most that `max_tokens` may ask for."""
    thinking: Thinking = Thinking.NONE
    thinking_off: str | None = "disabled"
    """The `thinking.type` nearest to no thinking; None: it cannot be turned off."""
    efforts: tuple[str, ...] = ()
    """The values of `output_config.effort`."""
    sampling: bool = True
    """Takes temperature, top_p and top_k."""
    one_sampling_field: bool = False
    """Takes temperature or top_p, not both."""
    json_schema: bool = False
    """Takes `output_config.format`."""
    prefill: bool = True
    """Continues a last message of the assistant's."""
    forced_choice: bool = True
    """Takes `tool_choice` any and tool."""
    in_list_system: bool = False
    """Takes role system among the messages."""


@frozen
class _Change:
    since: Mapping[str, Version]
    """The first version of each family that has the change."""
    quirks: Mapping[str, Any]
    page: str


_DOCS = "https://platform.claude.com/docs/en/"
_FIVE: Mapping[str, Version] = {"fable": (0, 0), "mythos": (0, 0)}
_CHANGES = (
    _Change({"sonnet": (3, 5), "haiku": (3, 5)}, {"max_tokens": 8192}, _DOCS + "about-claude/models/overview"),
    _Change({"opus": (4, 0)}, {"max_tokens": 32_000}, _DOCS + "about-claude/models/overview"),
    _Change(
        {"sonnet": (3, 7), "opus": (4, 5), "haiku": (4, 5)},
        {"max_tokens": 64_000},
        _DOCS + "about-claude/models/overview",
    ),
    _Change(
        {"sonnet": (3, 7), "opus": (4, 0), "haiku": (4, 5)},
        {"thinking": Thinking.BUDGET},
        _DOCS + "build-with-claude/extended-thinking",
    ),
    _Change(
        {"opus": (4, 1), "sonnet": (4, 5), "haiku": (4, 5)},
        {"one_sampling_field": True},
        _DOCS + "about-claude/models/migration-guide",
    ),
    _Change(
        {"opus": (4, 1), "sonnet": (4, 5), "haiku": (4, 5), **_FIVE},
        {"json_schema": True},
        _DOCS + "build-with-claude/structured-outputs",
    ),
    _Change(
        {"opus": (4, 6), "sonnet": (4, 6), "haiku": (5, 5), **_FIVE},
        {
            "max_tokens": 128_000,
            "thinking": Thinking.ADAPTIVE,
            "efforts": ("low", "medium", "high", "max"),
            "prefill": False,
        },
        _DOCS + "about-claude/models/migration-guide",
    ),
    _Change(
        {"opus": (4, 7), "sonnet": (5, 0), "haiku": (5, 5), **_FIVE},
        {"sampling": False, "efforts": ("low", "medium", "high", "xhigh", "max")},
        _DOCS + "build-with-claude/effort",
    ),
    _Change(
        {"opus": (4, 8), "sonnet": (5, 5), "haiku": (5, 5), "fable": (5, 0), "mythos": (5, 0)},
        {"in_list_system": True},
        _DOCS + "build-with-claude/mid-conversation-system-messages",
    ),
    _Change({"opus": (5, 5), **_FIVE}, {"thinking_off": None}, _DOCS + "models/opus-5-5/whats-new-opus-5-5"),
    _Change(
        {"sonnet": (5, 5)},
        {"thinking_off": "between_tools"},
        _DOCS + "models/sonnet-5-5/whats-new-sonnet-5-5",
    ),
    _Change(
        {"opus": (5, 5), "sonnet": (5, 5), "fable": (5, 1), "mythos": (5, 1)},
        {"forced_choice": False},
        _DOCS + "models/opus-5-5/whats-new-opus-5-5",
    ),
)

_FAMILIES = frozenset(family for change in _CHANGES for family in change.since)
_NEWEST = ("opus", (99, 0))
_FOREIGN = ("sonnet", (4, 5))
_FAMILY_FIRST = re.compile(r"claude-([a-z]+)(?:-(\d{1,2})(?:[-.](\d{1,2}))?)?(?!\d)")
_VERSION_FIRST = re.compile(r"claude-(\d)(?:[-.](\d))?-([a-z]+)")


@lru_cache(maxsize=256)
def quirks_of(model: str) -> Quirks:
    """The quirks of a model by the vendor's name, also with a prefix, a date, or a point in the version."""
    family, version = _family_and_version(model)
    quirks = Quirks()
    for change in _CHANGES:
        if family in change.since and version >= change.since[family]:
            quirks = evolve(quirks, **change.quirks)
    return quirks


def _family_and_version(model: str) -> tuple[str, Version]:
    if old := _VERSION_FIRST.search(model):
        major, minor, family = old.groups()
    elif new := _FAMILY_FIRST.search(model):
        family, major, minor = new.groups()
    else:
        return _FOREIGN
    return (family, (int(major or 0), int(minor or 0))) if family in _FAMILIES else _NEWEST
