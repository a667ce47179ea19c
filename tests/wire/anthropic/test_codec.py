import orjson
import pytest

from clawgw.wire.anthropic.codec import AnthropicCodec
from clawgw.wire.codec import Codec, WireTarget
from clawgw.wire.failure import Kind, WireError
from clawgw.wire.request import ChatRequest, EmbeddingsRequest, TextRequest

CODEC: Codec = AnthropicCodec()
TARGET = WireTarget("anthropic", "claude-haiku-4-5")
CHAT = ChatRequest(
    {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}, "m", stream=False, include_usage=False
)
EMBEDDINGS = EmbeddingsRequest({"model": "m", "input": "x"}, "m", base64=False)
TEXT = TextRequest({"model": "m", "prompt": "x"}, "m", stream=False, include_usage=False)


def test_the_key_goes_into_a_header_of_its_own() -> None:
    assert CODEC.auth_headers("sk-1") == {"x-api-key": "sk-1"}


def test_a_chat_goes_out_and_comes_back() -> None:
    assert orjson.loads(CODEC.build_chat(CHAT, TARGET).body)["model"] == "claude-haiku-4-5"
    answer = {"type": "message", "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"}
    completion = CODEC.parse_chat(orjson.dumps(answer), CHAT, TARGET, 1.0)
    assert completion.body["choices"][0]["message"]["content"] == "Hello"
    assert len(CODEC.chat_stream(CHAT, TARGET, 1.0).finish()) == 1
    assert CODEC.parse_error(529, {}, b"", 1.0).kind is Kind.SERVER


def test_there_are_no_other_endpoints() -> None:
    assert not CODEC.has_text
    for ask in (
        lambda: CODEC.build_embeddings(EMBEDDINGS, TARGET),
        lambda: CODEC.parse_embeddings(b"", EMBEDDINGS, TARGET),
        lambda: CODEC.build_text(TEXT, TARGET),
        lambda: CODEC.parse_text(b"", TEXT, TARGET),
        lambda: CODEC.text_stream(TEXT, TARGET),
    ):
        with pytest.raises(WireError) as caught:
            ask()
        assert (caught.value.failure.kind, caught.value.failure.code) == (Kind.UNSUPPORTED, "unsupported_endpoint")
