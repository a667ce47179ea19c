"""A chat request on its way to becoming an Anthropic one: what was asked, what is sent, and what is left behind."""

from typing import Any

from attrs import define, field

from clawgw.wire.anthropic.messages import Turn
from clawgw.wire.anthropic.models import Quirks
from clawgw.wire.codec import WireTarget


@define
class Draft:
    """The steps of `request` fill it. `asked` has no nulls; `turns` are the messages in `sent`."""

    asked: dict[str, Any]
    target: WireTarget
    quirks: Quirks
    sent: dict[str, Any]
    turns: list[Turn] = field(factory=list)
    taken: set[str] = field(factory=set)
    dropped: set[str] = field(factory=set)

    def take(self, name: str) -> Any:
        """The field asked for, or None; it will not count as dropped."""
        self.taken.add(name)
        return self.asked.get(name)

    def drop(self, name: str) -> None:
        """The target cannot take this field, if it was asked at all."""
        if name in self.asked:
            self.dropped.add(name)
