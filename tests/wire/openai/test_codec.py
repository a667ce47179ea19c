import json
from typing import Any

import orjson
import pytest

from clawgw.wire.codec import WireTarget
from clawgw.wire.events import Chunk, Done
from clawgw.wire.failure import Kind, WireError
from clawgw.wire.openai.codec import OpenAICodec
from clawgw.wire.openai.dialects import ECHO, GROQ, MISTRAL, MOONSHOT, OPENAI, OPENROUTER, Dialect
from clawgw.wire.request import EmbeddingsRequest, TextRequest
from tests.wire.openai.building import USER, request

TARGET = WireTarget("p", "m")
CODEC = OpenAICodec(OPENAI)


def text_request(**body: Any) -> TextRequest:
    body = {"model": "asked", "prompt": "a", **body}
    return TextRequest(body, "asked", bool(body.get("stream")), include_usage=False)


def test_the_key_is_a_bearer_token() -> None:
    assert CODEC.auth_headers("sk-1") == {"authorization": "Bearer sk-1"}


def test_chat_there_and_back() -> None:
    asked = request()
    assert orjson.loads(CODEC.build_chat(asked, TARGET).body) == {"model": "m", "messages": [USER]}
    body = b'{"choices": [{"message": {"content": "Hello"}}]}'
    assert CODEC.parse_chat(body, asked, TARGET, 7.0).body["created"] == 7
    stream = CODEC.chat_stream(asked, TARGET, 7.0)
    (chunk, done) = stream.feed(b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
    assert isinstance(chunk, Chunk)
    assert chunk.body["created"] == 7
    assert done == Done()


def test_embeddings_there_and_back() -> None:
    asked = EmbeddingsRequest({"model": "asked", "input": "a"}, "asked", base64=False)
    assert CODEC.build_embeddings(asked, TARGET).path == "/embeddings"
    assert CODEC.parse_embeddings(b'{"data": [{"embedding": [1]}]}', asked, TARGET).body["model"] == "m"


@pytest.mark.parametrize("dialect", [OPENAI, OPENROUTER, ECHO], ids=lambda dialect: dialect.name)
def test_text_completions_there_and_back(dialect: Dialect) -> None:
    codec, asked = OpenAICodec(dialect), text_request(max_tokens=5, logprobs=None)
    assert codec.has_text
    built = codec.build_text(asked, TARGET)
    assert built.path == "/completions"
    assert orjson.loads(built.body) == {"model": "m", "prompt": "a", "max_tokens": 5, "logprobs": None}
    assert codec.parse_text(b'{"choices": [{"text": "b"}]}', asked, TARGET).finish_reason == "stop"
    event = json.dumps({"id": "t", "choices": [{"text": "b", "index": 0, "finish_reason": "stop"}]}).encode()
    (chunk,) = codec.text_stream(asked, TARGET).feed(b"data: " + event + b"\n\n")
    assert isinstance(chunk, Chunk)
    assert chunk.commits
    assert chunk.body["object"] == "text_completion"


@pytest.mark.parametrize("options", [{}, {"stream_options": None}, {"stream_options": {"include_usage": False}}])
def test_a_text_stream_is_asked_for_its_usage(options: dict[str, Any]) -> None:
    body = orjson.loads(CODEC.build_text(text_request(stream=True, **options), TARGET).body)
    assert body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("dialect", [MISTRAL, GROQ, MOONSHOT], ids=lambda dialect: dialect.name)
def test_some_have_no_text_completions(dialect: Dialect) -> None:
    codec = OpenAICodec(dialect)
    assert not codec.has_text
    with pytest.raises(WireError) as raised:
        codec.build_text(text_request(), TARGET)
    assert (raised.value.failure.kind, raised.value.failure.code) == (Kind.UNSUPPORTED, "unsupported_endpoint")


def test_errors() -> None:
    failure = CODEC.parse_error(429, {"retry-after": "2"}, b'{"error": {"message": "m"}}', 0.0)
    assert (failure.kind, failure.retry_after_s) == (Kind.RATE_LIMITED, 2.0)
