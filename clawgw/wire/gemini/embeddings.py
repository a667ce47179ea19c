"""Embeddings at Google: one request for each input, in one batch.

Google reports no usage for most models; the answer then says zero tokens and the gateway estimates. Token arrays cannot
be sent. Source: https://ai.google.dev/api/embeddings.
"""

from typing import Any

import orjson

from clawgw.wire.codec import Completion, UpstreamRequest, WireTarget
from clawgw.wire.embeddings import pack, refuse_tokens
from clawgw.wire.gemini.request import model_path
from clawgw.wire.json_body import decode_json_object, get_count, get_object, get_objects, invalid
from clawgw.wire.request import EmbeddingsRequest
from clawgw.wire.usage import Usage

Json = dict[str, Any]

_TAKEN = frozenset(("model", "input", "dimensions", "encoding_format"))


def build_embeddings(request: EmbeddingsRequest, target: WireTarget) -> UpstreamRequest:
    """Raises `WireError` of kind UNSUPPORTED."""
    refuse_tokens(request, target)
    given = {name: value for name, value in request.body.items() if value is not None}
    model = model_path(target.model)
    dimensions = {"outputDimensionality": given["dimensions"]} if "dimensions" in given else {}
    requests = [{"model": model, "content": {"parts": [{"text": text}]}, **dimensions} for text in _texts(given)]
    body = orjson.dumps({"requests": requests})
    return UpstreamRequest(f"/{model}:batchEmbedContents", body, dropped=sorted(given.keys() - _TAKEN))


def parse_embeddings(body: bytes, request: EmbeddingsRequest, target: WireTarget) -> Completion:
    """The answer to a batch, or to the single embedding of `embedContent`. Raises `WireError`."""
    answer = decode_json_object(body)
    embeddings = get_objects(answer, "embeddings") or [get_object(answer, "embedding")]
    if len(embeddings) != len(_texts(request.body)):
        raise invalid("The upstream sent another number of embeddings than it was asked for.")
    data = [_row(index, embedding, request) for index, embedding in enumerate(embeddings)]
    counts = get_object(answer, "usageMetadata")
    tokens = get_count(counts, "promptTokenCount")
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    completion = {"object": "list", "data": data, "model": target.model, "usage": usage}
    return Completion(completion, Usage(tokens, 0, body=usage) if counts else None)


def _row(index: int, embedding: Json, request: EmbeddingsRequest) -> Json:
    values = embedding.get("values")
    if not isinstance(values, list) or not all(isinstance(value, int | float) for value in values):
        raise invalid("The upstream sent an embedding that is no list of numbers.")
    return {"object": "embedding", "index": index, "embedding": pack(values) if request.base64 else values}


def _texts(given: Json) -> list[str]:
    return [given["input"]] if isinstance(given["input"], str) else given["input"]
