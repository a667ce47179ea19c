"""What each kind of failure says of the target at which it happened."""

from enum import Enum

from clawgw.wire.failure import Kind


class Effect(Enum):
    """What a failed attempt says of its target."""

    FAULT = "fault"
    """The target does not work: the breaker counts it."""
    COOL_DOWN = "cool_down"
    """The target works and wants to be left alone."""
    NONE = "none"
    """Nothing: the request was wrong, or the key, and the key's pool sees to that."""


EFFECTS: dict[Kind, Effect] = {
    Kind.SERVER: Effect.FAULT,
    Kind.CONNECT: Effect.FAULT,
    Kind.TIMEOUT: Effect.FAULT,
    Kind.RESET: Effect.FAULT,
    Kind.INVALID: Effect.FAULT,
    Kind.IDLE: Effect.FAULT,
    Kind.TOO_LARGE: Effect.FAULT,
    Kind.RATE_LIMITED: Effect.COOL_DOWN,
    Kind.BAD_REQUEST: Effect.NONE,
    Kind.CONTEXT_LENGTH: Effect.NONE,
    Kind.CONTENT_POLICY: Effect.NONE,
    Kind.MODEL_NOT_FOUND: Effect.NONE,
    Kind.LOOP: Effect.NONE,
    Kind.UNSUPPORTED: Effect.NONE,
    Kind.UNAVAILABLE: Effect.NONE,
    Kind.OVER_LIMIT: Effect.NONE,
    Kind.KEY_OVER_LIMIT: Effect.NONE,
    Kind.AUTH: Effect.NONE,
    Kind.QUOTA: Effect.NONE,
}
