import json

import pytest

from clawgw.wire.codec import WireTarget
from clawgw.wire.events import Chunk, Done, Failed
from clawgw.wire.failure import Kind
from clawgw.wire.formats import CODECS
from clawgw.wire.operations import missing_endpoint, operation
from clawgw.wire.request import ChatRequest, EmbeddingsRequest, Request, TextRequest

TARGET = WireTarget("prov", "m")
CHAT = ChatRequest(
    {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}, "m", stream=False, include_usage=False
)
TEXT = TextRequest({"model": "m", "prompt": "Hi"}, "m", stream=False, include_usage=False)
EMBEDDINGS = EmbeddingsRequest({"model": "m", "input": "Hi"}, "m", base64=False)
MESSAGE = {"id": "msg_1", "type": "message", "content": [{"type": "text", "text": "Ho"}], "stop_reason": "end_turn"}


@pytest.mark.parametrize("name", ["openai", "gemini", "mistral", "openrouter", "echo"])
def test_who_embeds(name: str) -> None:
    assert missing_endpoint("embeddings", CODECS[name], TARGET) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("anthropic", "Anthropic has no /embeddings."),
        ("groq", "prov has no embeddings."),
        ("moonshot", "prov has no embeddings."),
    ],
)
def test_who_does_not(name: str, why: str) -> None:
    assert missing_endpoint("embeddings", CODECS[name], TARGET) == why


@pytest.mark.parametrize("name", sorted(CODECS))
@pytest.mark.parametrize("endpoint", ["chat.completions", "completions"])
def test_everybody_answers_chats_and_texts_through_them(name: str, endpoint: str) -> None:
    assert missing_endpoint(endpoint, CODECS[name], TARGET) is None


@pytest.mark.parametrize(
    ("request_", "wire", "path"),
    [
        (CHAT, "openai", "/chat/completions"),
        (TEXT, "openai", "/completions"),
        (TEXT, "anthropic", "/messages"),
        (EMBEDDINGS, "openai", "/embeddings"),
    ],
)
def test_where_a_request_goes(request_: Request, wire: str, path: str) -> None:
    assert operation(request_, CODECS[wire], TARGET, 0.0).build().path == path


@pytest.mark.parametrize(
    ("request_", "answer", "object_name"),
    [
        (CHAT, {"choices": [{"message": {"content": "Ho"}, "finish_reason": "stop"}]}, "chat.completion"),
        (TEXT, {"choices": [{"text": "Ho", "finish_reason": "stop"}]}, "text_completion"),
        (EMBEDDINGS, {"data": [{"embedding": [1.0]}]}, "list"),
    ],
)
def test_an_answer_is_read_as_what_was_asked_for(request_: Request, answer: object, object_name: str) -> None:
    asked = operation(request_, CODECS["openai"], TARGET, 0.0)
    assert asked.parse(json.dumps(answer).encode()).body["object"] == object_name


def test_a_text_that_went_through_chat_comes_back_as_a_text() -> None:
    through_chat = operation(TEXT, CODECS["anthropic"], TARGET, 0.0)
    assert through_chat.parse(json.dumps(MESSAGE).encode()).body["choices"] == [
        {"text": "Ho", "index": 0, "logprobs": None, "finish_reason": "stop"}
    ]
    parser = through_chat.parser()
    said, finish, done = parser.feed(json.dumps(MESSAGE).encode() + b"\n\n")[-3:]
    assert isinstance(said, Chunk)
    assert said.body["choices"][0]["text"] == "Ho"
    assert isinstance(finish, Chunk)
    assert finish.body["choices"][0]["finish_reason"] == "stop"
    assert done == Done()
    assert parser.finish() == []


@pytest.mark.parametrize("request_", [CHAT, TEXT])
def test_a_stream_of_nothing_was_cut_short(request_: Request) -> None:
    (failed,) = operation(request_, CODECS["openai"], TARGET, 0.0).parser().finish()
    assert isinstance(failed, Failed)
    assert failed.failure.kind is Kind.RESET


def test_embeddings_do_not_come_in_a_stream() -> None:
    with pytest.raises(NotImplementedError):
        operation(EMBEDDINGS, CODECS["openai"], TARGET, 0.0).parser()
