import json

import orjson
import pytest

from clawgw.wire.codec import Codec
from clawgw.wire.events import Done
from clawgw.wire.failure import Kind, WireError
from clawgw.wire.gemini.codec import GeminiCodec
from clawgw.wire.request import ChatRequest, EmbeddingsRequest, TextRequest
from tests.wire.gemini.answers import NOW, TARGET, answer, sse

CODEC: Codec = GeminiCodec()
CHAT = ChatRequest(
    {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}, "m", stream=False, include_usage=False
)
TEXT = TextRequest({"model": "m", "prompt": "Hi"}, "m", stream=False, include_usage=False)
EMBEDDINGS = EmbeddingsRequest({"model": "m", "input": "Hi"}, "m", base64=False)


def test_the_key_goes_into_googles_header() -> None:
    assert CODEC.auth_headers("k") == {"x-goog-api-key": "k"}
    assert CODEC.name == "gemini"


def test_a_chat_there_and_back() -> None:
    assert json.loads(CODEC.build_chat(CHAT, TARGET).body) == {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}]
    }
    completion = CODEC.parse_chat(orjson.dumps(answer({"text": "Yes"})), CHAT, TARGET, NOW)
    assert completion.body["choices"][0]["message"]["content"] == "Yes"
    stream = CODEC.chat_stream(CHAT, TARGET, NOW)
    stream.feed(sse(answer({"text": "Yes"})))
    assert stream.finish()[-1] == Done()


def test_embeddings_there_and_back() -> None:
    assert CODEC.build_embeddings(EMBEDDINGS, TARGET).path == "/models/gemini-2.5-flash:batchEmbedContents"
    completion = CODEC.parse_embeddings(b'{"embeddings": [{"values": [1]}]}', EMBEDDINGS, TARGET)
    assert completion.body["data"][0]["embedding"] == [1]


def test_text_goes_through_chat() -> None:
    assert not CODEC.has_text
    with pytest.raises(WireError) as caught:
        CODEC.build_text(TEXT, TARGET)
    assert (caught.value.failure.kind, caught.value.failure.code) == (Kind.UNSUPPORTED, "unsupported_endpoint")


def test_errors() -> None:
    assert CODEC.parse_error(503, {}, b"", NOW).kind is Kind.SERVER
