"""Limits as a client sees them: headers on every answer, and the text of a refusal. Never a name of anybody else's."""

from collections.abc import Iterable, Mapping, Sequence

from clawgw.errors import BudgetExceeded, GatewayError, RateLimitExceeded
from clawgw.limits.bucket import Bucket, Kind, Refused, Scope, Standing
from clawgw.routing.money import dollars_text

_WHOSE: Mapping[Scope, str] = {
    "key": "of this key",
    "label": "that this key shares",
    "route": "of the route",
    "provider": "of the provider",
    "provider_key": "of the provider's key",
    "quota": "of a quota",
}
_SHOWN: Sequence[Kind] = ("requests", "tokens")
_HEADERS: Sequence[tuple[Kind, Sequence[str]]] = [
    (kind, [f"x-ratelimit-{what}-{kind}" for what in ("limit", "remaining", "reset")]) for kind in _SHOWN
]


def refusal(refused: Refused) -> GatewayError:
    """The error for a request that has to wait: for the bucket that takes longest."""
    longest = max(refused.refusing, key=lambda standing: standing.wait_ms)
    error = BudgetExceeded if longest.bucket.kind == "usd" else RateLimitExceeded
    return error(refusal_text(longest), retry_after_s=longest.wait_ms / 1000, headers=limit_headers(refused.standings))


def refusal_text(standing: Standing) -> str:
    """Which limit it is that does not let a request through now."""
    what = limit_text(standing.bucket)
    return f"{what}: it is used up, try again in {_span(standing.wait_ms)}"


def limit_text(bucket: Bucket) -> str:
    """A limit with its scope and size."""
    what = "budget" if bucket.kind == "usd" else "limit"
    return f"the {what} {_WHOSE[bucket.scope]} is {size_text(bucket)}"


def limit_headers(standings: Iterable[Standing]) -> dict[str, str]:
    """`x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, of each kind the bucket with the smallest share left.

    As OpenAI sends them (platform.openai.com/docs/guides/rate-limits, "Rate limits in headers").
    """
    scarcest: dict[Kind, Standing] = {}
    for standing in standings:
        kind = standing.bucket.kind
        if kind not in scarcest or standing.share_left < scarcest[kind].share_left:
            scarcest[kind] = standing
    headers: dict[str, str] = {}
    for kind, names in _HEADERS:
        if kind in scarcest:
            standing = scarcest[kind]
            limit_name, remaining_name, reset_name = names
            headers[limit_name] = str(standing.bucket.limit)
            headers[remaining_name] = str(standing.remaining)
            headers[reset_name] = _span(standing.reset_ms)
    return headers


def size_text(bucket: Bucket) -> str:
    """How large a limit is."""
    match bucket.kind:
        case "usd":
            return f"{dollars_text(bucket.limit * 1000)} USD per {bucket.per}"
        case "concurrent":
            return f"{bucket.limit} requests at once"
        case kind:
            return f"{bucket.limit} {kind} per minute"


def _span(ms: int) -> str:
    """A time as OpenAI writes it: `12ms`, `1.5s`, `6m0s`, `2h5m0s`."""
    if ms < 1000:
        return f"{ms}ms"
    if ms < 60_000:
        return f"{ms / 1000:g}s"
    minutes, seconds = divmod(-(-ms // 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{seconds}s" if hours else f"{minutes}m{seconds}s"
