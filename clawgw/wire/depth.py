"""How deep JSON is nested. The decoder follows 1024 levels, the encoder only 254: what is passed on is bounded here."""

from collections.abc import Iterable
from typing import Any


def is_deeper_than(levels: int, body: bytes, value: Any) -> bool:
    """Whether `value`, which `body` was decoded to, has more than `levels` arrays and objects inside one another."""
    # Fewer brackets than levels allowed cannot be too deep; counting them is much faster than looking.
    return body.count(b"{") + body.count(b"[") > levels and _goes_on_after(levels, value)


def _goes_on_after(levels: int, value: Any) -> bool:
    containers = [value]
    for _ in range(levels):
        containers = [
            child
            for container in containers
            for child in _children(container)
            if type(child) is dict or type(child) is list
        ]
        if not containers:
            return False
    return True


def _children(container: Any) -> Iterable[Any]:
    return container.values() if type(container) is dict else container
