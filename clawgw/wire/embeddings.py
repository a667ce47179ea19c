"""Embeddings of an OpenAI-shaped upstream, in the packing that the client asked for.

`encoding_format: base64` is the little-endian float32 values one after the other, and the official Python client's
default; not every upstream heeds it, so either packing is turned into the other.
Source: https://platform.openai.com/docs/api-reference/embeddings.
"""

import binascii
import struct
from base64 import b64decode, b64encode
from collections.abc import Sequence
from math import isfinite
from typing import Any

import orjson
from attrs import evolve

from clawgw.wire.codec import Completion, UpstreamRequest, WireTarget
from clawgw.wire.failure import Failure, Kind, WireError
from clawgw.wire.json_body import decode_json_object, get_object, get_objects, get_text, invalid
from clawgw.wire.openai.dialects import Dialect
from clawgw.wire.openai.draft import Draft, unsupported
from clawgw.wire.openai.errors import error_failure, error_in
from clawgw.wire.openai.request import apply_rule
from clawgw.wire.request import EmbeddingsRequest
from clawgw.wire.usage import Usage, usage_from_body


def build_embeddings(request: EmbeddingsRequest, target: WireTarget, dialect: Dialect) -> UpstreamRequest:
    """Raises `WireError` of kind UNSUPPORTED."""
    if not dialect.has_embeddings:
        raise no_embeddings(target)
    if not dialect.embeds_tokens:
        refuse_tokens(request, target)
    body = {key: value for key, value in request.body.items() if value is not None}
    draft = Draft({**body, "model": target.model}, target)
    apply_rule(draft, dialect.embeddings)
    return UpstreamRequest("/embeddings", orjson.dumps(draft.body), dropped=draft.dropped(request.body))


def no_embeddings(target: WireTarget) -> WireError:
    """The provider has no such endpoint."""
    message = f"{target.provider} has no embeddings."
    return WireError(Failure(Kind.UNSUPPORTED, message, code="unsupported_endpoint"))


def refuse_tokens(request: EmbeddingsRequest, target: WireTarget) -> None:
    """Raise `WireError` of kind UNSUPPORTED where the input is token ids: another tokenizer would read other words."""
    given = request.body["input"]
    if isinstance(given, list) and not all(isinstance(item, str) for item in given):
        raise unsupported(target, "token ids in `input`, only strings", "input")


def parse_embeddings(body: bytes, request: EmbeddingsRequest, target: WireTarget) -> Completion:
    """An embeddings `list`. Raises `WireError`."""
    answer = decode_json_object(body)
    error = error_in(answer)
    if error is not None:
        raise WireError(error_failure(error))
    items = get_objects(answer, "data")
    if not items:
        raise invalid("The upstream's answer has no embeddings.")
    for index, item in enumerate(items):
        item.setdefault("index", index)
        item |= {"object": "embedding", "embedding": _packed(item.get("embedding"), request)}
    answer |= {"object": "list", "data": items, "model": get_text(answer, "model") or target.model}
    usage = _usage(answer)
    if usage is not None:
        answer["usage"] = usage.body
    return Completion(answer, usage)


def pack(values: Sequence[float]) -> str:
    """Floats as base64 of little-endian float32. Raises `WireError` of kind INVALID for what does not fit."""
    try:
        return b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
    except (struct.error, OverflowError) as error:
        raise invalid("The upstream's embedding is not a list of numbers.") from error


def unpack(text: str) -> list[float]:
    """The floats in `pack`'s text. Raises `WireError` of kind INVALID."""
    try:
        data = b64decode(text, validate=True)
        return list(struct.unpack(f"<{len(data) // 4}f", data))
    except (binascii.Error, ValueError, struct.error) as error:
        raise invalid("The upstream's embedding is not base64 of float32 values.") from error


def _packed(embedding: Any, request: EmbeddingsRequest) -> Any:
    if isinstance(embedding, str):
        return embedding if request.base64 else _as_floats(embedding, request.body.get("dimensions"))
    if isinstance(embedding, list):
        return pack(embedding) if request.base64 else embedding
    raise invalid("The upstream's answer has an entry without an embedding.")


def _as_floats(text: str, dimensions: int | None) -> list[float] | str:
    """The floats, or the text as it is where it holds something else: some upstreams pack int8 unless told not to."""
    values = unpack(text)
    fits = all(map(isfinite, values)) and dimensions in (None, len(values))
    return values if fits else text


def _usage(answer: dict[str, Any]) -> Usage | None:
    said = get_object(answer, "usage")
    if not said:
        return None
    usage = usage_from_body(said)
    return evolve(usage, body=_without_completion(usage.body))


def _without_completion(body: Any) -> dict[str, Any]:
    return {key: value for key, value in body.items() if not key.startswith("completion_tokens")}
