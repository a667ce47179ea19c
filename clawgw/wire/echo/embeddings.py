"""Embeddings of the built-in echo: unit vectors made from SHA-256. Equal texts have equal vectors, others do not meet.

The numbers are float32 in either packing. Source of the shape: https://platform.openai.com/docs/api-reference/embeddings.
"""

import hashlib
import math
import struct
from base64 import b64encode
from typing import Any

from clawgw.errors import InvalidRequest
from clawgw.wire.echo.text import prompt_texts
from clawgw.wire.echo.tokens import EchoAnswer, count_tokens, usage_of
from clawgw.wire.request import EmbeddingsRequest

DIMENSIONS = 256
"""Where the request says nothing."""
MAX_NUMBERS = 2**20
"""Texts times dimensions of one request."""

_NUMBERS_A_BLOCK = 16


def answer_embeddings(request: EmbeddingsRequest) -> EchoAnswer:
    """The answer. Raises `InvalidRequest` where it would have over `MAX_NUMBERS`."""
    texts = prompt_texts(request.body["input"])
    dimensions = request.body.get("dimensions") or DIMENSIONS
    if len(texts) * dimensions > MAX_NUMBERS:
        raise InvalidRequest(f"Texts times `dimensions` must be at most {MAX_NUMBERS}.", param="dimensions")
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(text, dimensions, base64=request.base64)}
        for index, text in enumerate(texts)
    ]
    prompt = sum(map(count_tokens, texts))
    usage = {"prompt_tokens": prompt, "total_tokens": prompt}
    return EchoAnswer({"object": "list", "data": data, "model": request.model, "usage": usage}, usage_of(prompt, 0))


def _packed(text: str, dimensions: int, *, base64: bool) -> Any:
    packed = struct.pack(f"<{dimensions}f", *_unit_vector(text, dimensions))
    return b64encode(packed).decode("ascii") if base64 else struct.unpack(f"<{dimensions}f", packed)


def _unit_vector(text: str, dimensions: int) -> list[float]:
    """The hash of the text's hash and a counter, block after block, as odd numbers (none is 0), scaled to length 1."""
    seed = hashlib.sha256(text.encode()).digest()
    blocks = (
        hashlib.sha256(seed + block.to_bytes(4, "big")).digest() for block in range(-(-dimensions // _NUMBERS_A_BLOCK))
    )
    numbers = [2 * half + 1 for digest in blocks for half in struct.unpack(">16h", digest)][:dimensions]
    length = math.hypot(*numbers)
    return [number / length for number in numbers]
