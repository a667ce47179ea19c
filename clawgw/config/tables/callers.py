"""Who may come in: `[auth]`, `[[keys]]`."""

from collections.abc import Mapping
from typing import Annotated

from attrs import field, frozen

from clawgw.config.rules import NotEmpty
from clawgw.config.tables.limits import Budget, RateLimits
from clawgw.config.values import Sha256, Word


@frozen
class Auth:
    """[auth]. `required` None: as soon as one key exists."""

    required: bool | None = None


@frozen
class Key:
    """One of [[keys]]."""

    name: Word
    sha256: Sha256
    models: Annotated[tuple[Word, ...], NotEmpty("model, such as `*`")] = ("*",)
    admin: bool = False
    labels: Mapping[str, str] = field(factory=dict)
    limits: RateLimits | None = None
    budget: Budget | None = None
