"""Who is asked: `[providers]`, and what their models cost, `[prices]`."""

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen

from clawgw.config.tables.limits import Budget, RateLimits
from clawgw.config.values import HeaderName, HeaderValue, ModelName, Positive, PositiveOrZero, Reference, Word

WireName = Literal["openai", "anthropic", "gemini", "mistral", "groq", "openrouter", "moonshot", "echo"]


@frozen
class Timeouts:
    """A provider's `timeouts`."""

    connect_s: Positive = 1.5
    first_token_s: Positive = 60.0
    idle_s: Positive = 30.0
    total_s: Positive = 600.0


@frozen
class Provider:
    """[providers.NAME]. `wire` and `base_url` are None only before the known providers' values are filled in."""

    wire: WireName | None = None
    base_url: str | None = None
    api_keys: tuple[Reference, ...] | None = None
    api_version: Word | None = None
    default_model: ModelName | None = None
    api: Literal["auto", "chat", "responses"] = "auto"
    limits: RateLimits | None = None
    budget: Budget | None = None
    key_limits: RateLimits | None = None
    key_budget: Budget | None = None
    timeouts: Timeouts = Timeouts()
    headers: Mapping[HeaderName, HeaderValue] = field(factory=dict, repr=False)
    allow_private_network: bool = False
    tokens_per_second: Positive | None = None
    """echo only: how fast it answers; None: at once."""


@frozen
class Price:
    """[prices."provider/model"]: USD per million tokens."""

    input: PositiveOrZero
    output: PositiveOrZero
    cached_input: PositiveOrZero | None = None
