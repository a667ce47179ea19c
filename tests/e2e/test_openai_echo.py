"""The official `openai` package against the running gateway, whose built-in echo answers.

`client` is `Any`: the package types its parameters more narrowly than the JSON that goes over the wire.
"""

import json
from typing import Any

import openai
import pytest

MODEL = "echo/echo"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def says(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_plain(client: Any) -> None:
    completion = client.chat.completions.create(model=MODEL, messages=says("Grüße, 世界"))
    assert completion.choices[0].message.content == "Grüße, 世界"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens


def test_stream_says_the_same_as_plain(client: Any) -> None:
    chunks = list(client.chat.completions.create(model=MODEL, messages=says("Grüße, 世界"), stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Grüße, 世界"
    assert [chunk.choices[0].finish_reason for chunk in chunks][-1] == "stop"
    assert len({chunk.id for chunk in chunks}) == 1


def test_stream_with_usage(client: Any) -> None:
    options = {"include_usage": True}
    *chunks, last = client.chat.completions.create(
        model=MODEL, messages=says("Hi"), stream=True, stream_options=options
    )
    plain = client.chat.completions.create(model=MODEL, messages=says("Hi"))
    assert last.choices == []
    assert last.usage == plain.usage
    assert {chunk.usage for chunk in chunks} == {None}


def test_stream_helper_of_the_package(client: Any) -> None:
    with client.chat.completions.stream(model=MODEL, messages=says("Hello there")) as stream:
        kinds = {event.type for event in stream}
        assert stream.get_final_completion().choices[0].message.content == "Hello there"
    assert {"chunk", "content.delta", "content.done"} <= kinds


def test_tool_call(client: Any) -> None:
    completion = client.chat.completions.create(model=MODEL, messages=says("Paris?"), tools=TOOLS)
    (call,) = completion.choices[0].message.tool_calls
    assert completion.choices[0].finish_reason == "tool_calls"
    assert call.function.name == "get_weather"
    assert isinstance(json.loads(call.function.arguments)["city"], str)


def test_tool_call_in_a_stream_is_the_same(client: Any) -> None:
    completion = client.chat.completions.create(model=MODEL, messages=says("Paris?"), tools=TOOLS)
    with client.chat.completions.stream(model=MODEL, messages=says("Paris?"), tools=TOOLS) as stream:
        streamed = stream.get_final_completion()
    (plain,), (other,) = (one.choices[0].message.tool_calls for one in (completion, streamed))
    assert (other.function.name, other.function.arguments) == (plain.function.name, plain.function.arguments)


def test_tool_result_goes_back(client: Any) -> None:
    first = client.chat.completions.create(model=MODEL, messages=says("Paris?"), tools=TOOLS).choices[0].message
    result = {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": "sunny"}
    second = client.chat.completions.create(model=MODEL, messages=[*says("Paris?"), first, result])
    assert second.choices[0].message.content == "sunny"


def test_text_completion(client: Any) -> None:
    completion = client.completions.create(model=MODEL, prompt="Once upon a time")
    chunks = list(client.completions.create(model=MODEL, prompt="Once upon a time", stream=True))
    assert completion.object == "text_completion"
    assert completion.choices[0].text == "Once upon a time"
    assert "".join(chunk.choices[0].text for chunk in chunks) == "Once upon a time"


def test_embeddings_as_numbers_and_as_base64_are_the_same(client: Any) -> None:
    numbers = client.embeddings.create(model=MODEL, input=["one", "two"], encoding_format="float")
    # Without a format the package asks for base64 and decodes it itself.
    decoded = client.embeddings.create(model=MODEL, input=["one", "two"])
    assert [item.index for item in numbers.data] == [0, 1]
    assert numbers.data[0].embedding != numbers.data[1].embedding
    for number, other in zip(numbers.data, decoded.data, strict=True):
        assert other.embedding == pytest.approx(number.embedding, rel=1e-6)
    assert numbers.usage.prompt_tokens > 0


def test_models(client: Any) -> None:
    listed = [model.id for model in client.models.list()]
    assert {"openai", "anthropic", "gemini"} <= set(listed)
    for name in listed:
        assert client.models.retrieve(name).id == name


def test_unknown_model(client: Any) -> None:
    with pytest.raises(openai.NotFoundError) as raised:
        client.chat.completions.create(model="no-such-model", messages=says("Hi"))
    assert raised.value.code == "model_not_found"
    assert raised.value.type == "invalid_request_error"
    assert raised.value.request_id


def test_bad_request_names_the_field(client: Any) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model=MODEL, messages=says("Hi"), temperature="hot")
    assert raised.value.param == "temperature"
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model=MODEL, messages=[])


def test_headers_of_an_answer(client: Any) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=says("Hi"), extra_headers={"x-client-request-id": "mine-1"}
    )
    assert raw.headers["x-clawgw-provider"] == "echo"
    assert raw.headers["x-clawgw-attempts"] == "1"
    assert raw.headers["x-client-request-id"] == "mine-1"
    assert raw.headers["x-request-id"] != "mine-1"
