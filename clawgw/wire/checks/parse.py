"""The checks at the door: a request's bytes in, a request or one clear `InvalidRequest` out.

Nothing is sent anywhere before these have passed, and no bytes whatever raise anything else. The JSON decoder itself
refuses NaN, infinities, lone surrogates, a byte order mark and text that is not UTF-8.
"""

from typing import Any

import orjson

from clawgw.errors import InvalidRequest
from clawgw.wire.checks.json_shape import Check, Misfit
from clawgw.wire.checks.request_shape import CHAT, EMBEDDINGS, TEXT
from clawgw.wire.depth import is_deeper_than
from clawgw.wire.request import ChatRequest, EmbeddingsRequest, TextRequest

MAX_DEPTH = 64
"""Arrays and objects inside one another."""
_MAX_PARAM_CHARACTERS = 256


def parse_chat_request(body: bytes) -> ChatRequest:
    """The body of POST /v1/chat/completions. Raises `InvalidRequest`."""
    return check_chat_request(decode_json(body))


def parse_text_request(body: bytes) -> TextRequest:
    """The body of POST /v1/completions. Raises `InvalidRequest`."""
    return check_text_request(decode_json(body))


def parse_embeddings_request(body: bytes) -> EmbeddingsRequest:
    """The body of POST /v1/embeddings. Raises `InvalidRequest`."""
    return check_embeddings_request(decode_json(body))


def check_chat_request(value: Any) -> ChatRequest:
    """A chat request that is decoded already. Raises `InvalidRequest`."""
    body = _checked(CHAT, value)
    return ChatRequest(body, body["model"], body.get("stream") or False, _include_usage(body))


def check_text_request(value: Any) -> TextRequest:
    """A text completion request that is decoded already. Raises `InvalidRequest`."""
    body = _checked(TEXT, value)
    return TextRequest(body, body["model"], body.get("stream") or False, _include_usage(body))


def check_embeddings_request(value: Any) -> EmbeddingsRequest:
    """An embeddings request that is decoded already. Raises `InvalidRequest`."""
    body = _checked(EMBEDDINGS, value)
    return EmbeddingsRequest(body, body["model"], body.get("encoding_format") == "base64")


def decode_json(body: bytes) -> Any:
    """JSON from a client, at most `MAX_DEPTH` deep. Raises `InvalidRequest`."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"The body is not valid JSON: {error}.") from None
    if is_deeper_than(MAX_DEPTH, body, value):
        raise InvalidRequest(f"The body's JSON is nested too deeply: at most {MAX_DEPTH} levels are taken.")
    return value


def _checked(shape: Check, value: Any) -> dict[str, Any]:
    try:
        shape(value)
    except Misfit as misfit:
        param = misfit.path[:_MAX_PARAM_CHARACTERS]
        name = f"`{param}`" if param else "The body"
        raise InvalidRequest(f"{name} {misfit.message}.", param=param or None) from None
    body: dict[str, Any] = value
    return body


def _include_usage(body: dict[str, Any]) -> bool:
    options = body.get("stream_options")
    if options is None:
        return False
    if not body.get("stream"):
        raise InvalidRequest("`stream_options` is only taken with `stream` true.", param="stream_options")
    return options.get("include_usage") is True
