"""What the door lets in, what it refuses, and in which words."""

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clawgw.errors import InvalidRequest
from clawgw.wire.checks.parse import (
    check_chat_request,
    check_embeddings_request,
    check_text_request,
    decode_json,
    parse_chat_request,
    parse_embeddings_request,
    parse_text_request,
)
from clawgw.wire.request import ChatRequest, EmbeddingsRequest, Request, TextRequest
from tests.shared import exchanges, needs_shared

HELLO: dict[str, Any] = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Hello"}]}
PROMPT: dict[str, Any] = {"model": "m", "prompt": "Once"}
INPUT: dict[str, Any] = {"model": "m", "input": "text"}


def chat(**fields: Any) -> dict[str, Any]:
    return HELLO | fields


def saying(*messages: dict[str, Any]) -> dict[str, Any]:
    return chat(messages=list(messages))


def with_part(part: Any, role: str = "user") -> dict[str, Any]:
    return saying({"role": role, "content": [part]})


def calling(call: Any) -> dict[str, Any]:
    return saying({"role": "assistant", "tool_calls": [call]})


def image(url: Any) -> dict[str, Any]:
    return with_part({"type": "image_url", "image_url": {"url": url}})


def function(**fields: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "get_weather", **fields}}


def nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth - 1):
        value = [value]
    return value


def refusal(check: Callable[[Any], Request], value: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        check(value)
    assert caught.value.status == 400
    assert caught.value.type == "invalid_request_error"
    return caught.value


def outcome(check: Callable[[Any], Request], value: Any) -> Request | InvalidRequest:
    try:
        return check(value)
    except InvalidRequest as error:
        return error


def test_a_chat_request_keeps_its_dict_and_tells_its_facts() -> None:
    body = chat(stream=True, stream_options={"include_usage": True}, top_k=40, provider={"order": ["groq"]})
    assert parse_chat_request(orjson.dumps(body)) == ChatRequest(body, "gpt-6-luna", stream=True, include_usage=True)


def test_what_is_not_said_is_false() -> None:
    assert check_chat_request(HELLO) == ChatRequest(HELLO, "gpt-6-luna", stream=False, include_usage=False)
    silent = chat(stream=True, stream_options={"include_usage": None})
    assert check_chat_request(silent).include_usage is False
    assert check_chat_request(chat(stream=None)).stream is False


def test_a_text_request() -> None:
    body = {**PROMPT, "stream": True, "stream_options": {"include_usage": True}, "logprobs": 2, "best_of": 3}
    assert parse_text_request(orjson.dumps(body)) == TextRequest(body, "m", stream=True, include_usage=True)


@pytest.mark.parametrize(("encoding", "base64"), [("base64", True), ("float", False), (None, False)])
def test_an_embeddings_request(encoding: str | None, base64: bool) -> None:  # noqa: FBT001  # a column of the table
    body = {**INPUT, "encoding_format": encoding}
    assert parse_embeddings_request(orjson.dumps(body)) == EmbeddingsRequest(body, "m", base64)


LET_IN: list[tuple[str, dict[str, Any]]] = [
    ("null is absent", dict.fromkeys(("temperature", "tools", "stop", "metadata", "response_format"), None)),
    ("the ends of ranges", {"temperature": 0, "top_p": 1, "presence_penalty": -2, "frequency_penalty": 2.0, "n": 128}),
    ("64 bits of seed", {"seed": 2**63 - 1}),
    ("four stops", {"stop": ["a", "b", "c", "d"]}),
    ("no stops", {"stop": []}),
    ("a stop", {"stop": "\n"}),
    ("metadata to its limits", {"metadata": {f"{n:064}": "v" * 512 for n in range(16)}}),
    ("a bias", {"logit_bias": {"50256": -100, "11": 100}}),
    ("log probabilities", {"logprobs": True, "top_logprobs": 20}),
    ("a provider's own effort", {"reasoning_effort": "default"}),
    ("Mistral's choice", {"tool_choice": "any"}),
    ("a named choice", {"tool_choice": {"type": "function", "function": {"name": "f"}}}),
    ("a custom choice", {"tool_choice": {"type": "custom", "custom": {"name": "f"}}}),
    ("allowed tools", {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{}]}}}),
    ("a choice nobody here knows", {"tool_choice": {"type": "hosted"}}),
    ("a tool without a type", {"tools": [{"function": {"name": "f"}}]}),
    ("a tool of a provider", {"tools": [{"type": "openrouter:web_search", "parameters": {"engine": "auto"}}]}),
    ("a custom tool", {"tools": [{"type": "custom", "custom": {"name": "c", "format": {"type": "text"}}}]}),
    (
        "a grammar",
        {
            "tools": [
                {
                    "type": "custom",
                    "custom": {
                        "name": "c",
                        "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /x/"}},
                    },
                }
            ]
        },
    ),
    ("old functions", {"functions": [{"name": "f", "parameters": {}}], "function_call": {"name": "f"}}),
    ("JSON mode", {"response_format": {"type": "json_object"}}),
    ("a schema", {"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {}}}}),
    ("a provider's format", {"response_format": {"type": "grammar", "grammar": "…"}}),
    ("a prediction", {"prediction": {"type": "content", "content": [{"type": "text", "text": "x"}]}}),
    ("speech", {"modalities": ["text", "audio"], "audio": {"format": "wav", "voice": {"id": "voice_1"}}}),
    ("search", {"web_search_options": {"user_location": {"type": "approximate", "approximate": {"city": "Bern"}}}}),
    ("a route", {"model": "my fast route"}),
    ("256 characters of model", {"model": "m" * 256}),
]


@pytest.mark.parametrize("fields", [fields for _, fields in LET_IN], ids=[name for name, _ in LET_IN])
def test_lets_in(fields: dict[str, Any]) -> None:
    body = chat(**fields)
    assert check_chat_request(body).body is body


MESSAGES: list[dict[str, Any]] = [
    {"role": "developer", "content": "Be brief."},
    {"role": "system", "content": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]},
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "HTTPS://example.com/a.png?b=c#d"}}]},
    {"role": "user", "content": [{"type": "image_url", "image_url": "https://example.com/a.png"}]},
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]},
    {"role": "user", "content": [{"type": "video_url", "video_url": {"url": "https://example.com/a.webm"}}]},
    {"role": "user", "content": [{"type": "document_url", "document_url": "https://example.com/a.pdf"}]},
    {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}]},
    {"role": "user", "content": [{"type": "input_audio", "input_audio": "UklGRg=="}]},
    {"role": "user", "content": [{"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERg=="}}]},
    {"role": "user", "content": [{"type": "file", "file": {"file_data": "JVBERg==", "filename": "a.pdf"}}]},
    {"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]},
    {"role": "user", "content": "hi", "name": None, "tool_calls": None},
    {"role": "assistant", "content": None, "refusal": "No."},
    {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
    {"role": "assistant", "content": [], "prefix": False, "tool_calls": []},
    {"role": "assistant", "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]},
    {"role": "assistant", "tool_calls": [{"id": "c1", **function(arguments="{")}]},
    {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "no.pattern:0", "arguments": ""}}]},
    {"role": "assistant", "tool_calls": [{"id": "c1", "type": "custom", "custom": {"name": "c", "input": "x"}}]},
    {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
    {"role": "assistant", "audio": {"id": "audio_1"}},
    {"role": "tool", "tool_call_id": "c1", "content": "22 °C"},
    {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "22 °C"}]},
    {"role": "function", "name": "f", "content": None},
]


@pytest.mark.parametrize("message", MESSAGES, ids=str)
def test_lets_in_the_message(message: dict[str, Any]) -> None:
    check_chat_request(saying(message))


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"messages": HELLO["messages"]}, "model"),
    (chat(model=None), "model"),
    (chat(model=7), "model"),
    (chat(model=""), "model"),
    (chat(model="m" * 257), "model"),
    (chat(model="gpt\r\nx-evil: 1"), "model"),
    (chat(model=" gpt"), "model"),
    (chat(model="gpt-ö"), "model"),
    ({"model": "m"}, "messages"),
    (chat(messages="Hello"), "messages"),
    (chat(messages=[]), "messages"),
    (chat(messages=["Hello"]), "messages[0]"),
    (saying(HELLO["messages"][0], {"content": "x"}), "messages[1].role"),
    (saying({"role": "wizard", "content": "x"}), "messages[0].role"),
    (saying({"role": ["user"], "content": "x"}), "messages[0].role"),
    (saying({"role": "user"}), "messages[0].content"),
    (saying({"role": "system", "content": None}), "messages[0].content"),
    (saying({"role": "user", "content": []}), "messages[0].content"),
    (saying({"role": "user", "content": {"type": "text"}}), "messages[0].content"),
    (saying({"role": "tool", "content": "x"}), "messages[0].tool_call_id"),
    (saying({"role": "function", "content": "x"}), "messages[0].name"),
    (with_part("x"), "messages[0].content[0]"),
    (with_part({"text": "x"}), "messages[0].content[0].type"),
    (with_part({"type": "text"}), "messages[0].content[0].text"),
    (with_part({"type": "text", "text": 1}), "messages[0].content[0].text"),
    (with_part({"type": "image_url", "image_url": 1}), "messages[0].content[0].image_url"),
    (with_part({"type": "image_url", "image_url": {}}), "messages[0].content[0].image_url.url"),
    (with_part({"type": "input_audio", "input_audio": {"data": "x"}}), "messages[0].content[0].input_audio.format"),
    (with_part({"type": "file", "file": {"file_data": "file:///etc/passwd"}}), "messages[0].content[0].file.file_data"),
    (with_part({"type": "file", "file": {"file_data": 1}}), "messages[0].content[0].file.file_data"),
    (image(1), "messages[0].content[0].image_url.url"),
    (image("file:///etc/passwd"), "messages[0].content[0].image_url.url"),
    (image("gs://bucket/a.png"), "messages[0].content[0].image_url.url"),
    (image("//example.com/a.png"), "messages[0].content[0].image_url.url"),
    (image("https://"), "messages[0].content[0].image_url.url"),
    (image("https:///a.png"), "messages[0].content[0].image_url.url"),
    (image("https://example.com/a\nb"), "messages[0].content[0].image_url.url"),
    (image("https://example.com/" + "a" * 8173), "messages[0].content[0].image_url.url"),
    (image("data:image/png;base64"), "messages[0].content[0].image_url.url"),
    (image("data:image/png;base64,ä"), "messages[0].content[0].image_url.url"),
    (image("data:image png;base64,aaaa"), "messages[0].content[0].image_url.url"),
    (calling({"type": "function"}), "messages[0].tool_calls[0].id"),
    (calling({"id": "c1", "type": "function"}), "messages[0].tool_calls[0].function"),
    (calling({"id": "c1", "function": {"name": "f"}}), "messages[0].tool_calls[0].function.arguments"),
    (calling({"id": "c1", "function": {"name": "f", "arguments": {}}}), "messages[0].tool_calls[0].function.arguments"),
    (calling({"id": "c1", "function": {"name": "", "arguments": ""}}), "messages[0].tool_calls[0].function.name"),
    (chat(tools={}), "tools"),
    (chat(tools=[function()] * 1025), "tools"),
    (chat(tools=[{"type": "function"}]), "tools[0].function"),
    (chat(tools=[function(name="get weather")]), "tools[0].function.name"),
    (chat(tools=[function(name="n" * 65)]), "tools[0].function.name"),
    (chat(tools=[function(), function(name=None)]), "tools[1].function.name"),
    (chat(tools=[function(parameters="{}")]), "tools[0].function.parameters"),
    (chat(tools=[{"type": 1}]), "tools[0].type"),
    (chat(tools=[{"type": "custom", "custom": {"name": "c", "format": {"type": "x"}}}]), "tools[0].custom.format.type"),
    (chat(tool_choice="maybe"), "tool_choice"),
    (chat(tool_choice=True), "tool_choice"),
    (chat(tool_choice={"type": "function"}), "tool_choice.function"),
    (chat(functions=[{"name": "a b"}]), "functions[0].name"),
    (chat(function_call="required"), "function_call"),
    (chat(temperature=2.1), "temperature"),
    (chat(temperature=-0.1), "temperature"),
    (chat(temperature="0.5"), "temperature"),
    (chat(temperature=True), "temperature"),
    (chat(top_p=1.01), "top_p"),
    (chat(presence_penalty=2.5), "presence_penalty"),
    (chat(frequency_penalty=-3), "frequency_penalty"),
    (chat(n=0), "n"),
    (chat(n=129), "n"),
    (chat(n=1.0), "n"),
    (chat(seed=2**63), "seed"),
    (chat(seed=1e20), "seed"),
    (chat(max_tokens=0), "max_tokens"),
    (chat(max_tokens=100.0), "max_tokens"),
    (chat(max_completion_tokens=-1), "max_completion_tokens"),
    (chat(logprobs=1), "logprobs"),
    (chat(top_logprobs=21), "top_logprobs"),
    (chat(stop=["a", "b", "c", "d", "e"]), "stop"),
    (chat(stop=["a", 1]), "stop[1]"),
    (chat(stop=1), "stop"),
    (chat(logit_bias={"50256": 101}), "logit_bias.50256"),
    (chat(logit_bias=[]), "logit_bias"),
    (chat(metadata={str(n): "v" for n in range(17)}), "metadata"),
    (chat(metadata={"k" * 65: "v"}), "metadata"),
    (chat(metadata={"k": "v" * 513}), "metadata.k"),
    (chat(metadata={"k": 1}), "metadata.k"),
    (chat(user="u" * 513), "user"),
    (chat(user=7), "user"),
    (chat(stream="true"), "stream"),
    (chat(stream=True, stream_options=[]), "stream_options"),
    (chat(stream=True, stream_options={"include_usage": 1}), "stream_options.include_usage"),
    (chat(stream_options={"include_usage": True}), "stream_options"),
    (chat(response_format="json"), "response_format"),
    (chat(response_format={"type": None}), "response_format.type"),
    (chat(response_format={"type": "json_schema"}), "response_format.json_schema"),
    (chat(response_format={"type": "json_schema", "json_schema": {}}), "response_format.json_schema.name"),
    (chat(modalities=["text", 1]), "modalities[1]"),
    (chat(audio={"format": "wav", "voice": 1}), "audio.voice"),
    (chat(prediction={"type": "other", "content": "x"}), "prediction.type"),
    (chat(parallel_tool_calls="no"), "parallel_tool_calls"),
    (chat(reasoning_effort=3), "reasoning_effort"),
    (chat(safety_identifier="s" * 129), "safety_identifier"),
]


@pytest.mark.parametrize(("body", "param"), REFUSED)
def test_refuses_and_names_the_field(body: dict[str, Any], param: str) -> None:
    error = refusal(check_chat_request, body)
    assert error.param == param
    assert f"`{param}`" in error.message


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": ["a"] * 2049}, "prompt"),
        ({"prompt": ["a", 1]}, "prompt[1]"),
        ({"prompt": [1, "a"]}, "prompt"),
        ({"prompt": [1, True]}, "prompt"),
        ({"prompt": [-1]}, "prompt"),
        ({"prompt": [[1], []]}, "prompt[1]"),
        ({"prompt": [[1], "a"]}, "prompt[1]"),
        ({"prompt": [None]}, "prompt[0]"),
        ({"best_of": 21}, "best_of"),
        ({"logprobs": True}, "logprobs"),
        ({"logprobs": 6}, "logprobs"),
        ({"echo": "yes"}, "echo"),
        ({"suffix": 1}, "suffix"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"stream_options": {}}, "stream_options"),
    ],
)
def test_refuses_a_text_request(fields: dict[str, Any], param: str) -> None:
    assert refusal(check_text_request, PROMPT | fields).param == param


@pytest.mark.parametrize("prompt", ["", "a", ["a", "b"], [1, 2], [[1], [2, 3]]])
def test_lets_in_the_prompt(prompt: Any) -> None:
    assert check_text_request(PROMPT | {"prompt": prompt}).body["prompt"] == prompt


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": None}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": {}}, "input"),
        ({"input": ["a"] * 2049}, "input"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": True}, "dimensions"),
        ({"encoding_format": "int8"}, "encoding_format"),
        ({"encoding_format": 1}, "encoding_format"),
        ({"metadata": "x"}, "metadata"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"model": None}, "model"),
    ],
)
def test_refuses_an_embeddings_request(fields: dict[str, Any], param: str) -> None:
    assert refusal(check_embeddings_request, INPUT | fields).param == param


@pytest.mark.parametrize("value", ["a", ["a"] * 2048, [1, 2], [[1], [2]]])
def test_lets_in_the_input(value: Any) -> None:
    assert check_embeddings_request(INPUT | {"input": value}).body["input"] == value


@pytest.mark.parametrize("value", [None, [], "x", 1, True])
@pytest.mark.parametrize("check", [check_chat_request, check_text_request, check_embeddings_request])
def test_only_an_object_is_a_request(check: Callable[[Any], Request], value: Any) -> None:
    error = refusal(check, value)
    assert error.param is None
    assert error.message == "The body must be an object."


DOORS: list[tuple[dict[str, Any], str]] = [
    ({"api_base": "https://evil.example"}, "api_base"),
    ({"base_url": None}, "base_url"),
    ({"apiKey": "x"}, "apiKey"),
    ({"API-VERSION": "x"}, "API-VERSION"),
    ({"custom_llm_provider": "openai"}, "custom_llm_provider"),
    ({"extra_body": {"a": [{"api_base": "x"}]}}, "extra_body.a[0].api_base"),
    ({"stream": True, "stream_options": {"api_key": "x"}}, "stream_options.api_key"),
    ({"tools": [{"type": "function", "function": {"name": "f"}, "base_url": "x"}]}, "tools[0].base_url"),
    ({"tools": [function(api_key="x")]}, "tools[0].function.api_key"),
    ({"tools": [{"type": "search", "parameters": {"api_base": "x"}}]}, "tools[0].parameters.api_base"),
    ({"tool_choice": {"type": "hosted", "api_base": "x"}}, "tool_choice.api_base"),
    ({"web_search_options": {"api_base": "x"}}, "web_search_options.api_base"),
    ({"response_format": {"type": "x", "api_base": "y"}}, "response_format.api_base"),
]


@pytest.mark.parametrize(("fields", "param"), DOORS)
def test_no_field_leads_the_request_elsewhere(fields: dict[str, Any], param: str) -> None:
    error = refusal(check_chat_request, chat(**fields))
    assert error.param == param
    assert "evil" not in error.message


@pytest.mark.parametrize("check", [check_text_request, check_embeddings_request])
def test_no_endpoint_has_such_doors(check: Callable[[Any], Request]) -> None:
    assert refusal(check, PROMPT | INPUT | {"api_base": "x"}).param == "api_base"


def test_an_escaped_door_is_a_door() -> None:
    body = orjson.dumps(HELLO)[:-1] + rb',"api\u005fbase":"x"}'
    assert refusal(parse_chat_request, body).param == "api_base"


def test_the_clients_own_data_may_use_any_name() -> None:
    schema = {"type": "object", "properties": {"api_key": {"type": "string"}, "base_url": {"type": "string"}}}
    check_chat_request(
        chat(
            messages=[
                {"role": "user", "content": [{"type": "text", "text": '{"api_base": 1}', "api_base": 1}]},
                {"role": "assistant", "tool_calls": [{"id": "c", **function(arguments='{"api_key": 1}')}]},
            ],
            tools=[function(parameters=schema)],
            response_format={"type": "json_schema", "json_schema": {"name": "s", "schema": schema}},
            metadata={"api_base": "mine"},
        )
    )


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"", "zero-length"),
        (b"{", "not valid JSON"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"a": NaN}', "not valid JSON"),
        (b'{"a": Infinity}', "not valid JSON"),
        (b'{"a": 1e400}', "infinity"),
        (rb'{"a": "\ud800"}', "surrogate"),
        (b'{"a": "\xed\xa0\x80"}', "UTF-8"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b"[" * 100_000, "depth"),
        (b'{"a":' * 100_000, "depth"),
    ],
)
@pytest.mark.parametrize("parse", [parse_chat_request, parse_text_request, parse_embeddings_request])
def test_refuses_what_is_not_json(parse: Callable[[bytes], Request], body: bytes, part: str) -> None:
    error = refusal(parse, body)
    assert part in error.message
    assert error.param is None


def test_integers_beyond_64_bits_are_refused_not_fatal() -> None:
    body = orjson.dumps(HELLO)[:-1] + b',"max_tokens":99999999999999999999}'
    assert refusal(parse_chat_request, body).param == "max_tokens"


def test_64_levels_are_taken_and_65_are_not() -> None:
    assert decode_json(orjson.dumps(nested(64))) == nested(64)
    # Many brackets are not many levels.
    assert decode_json(b"[" + b"[]," * 100 + b"{}]")
    error = refusal(decode_json, orjson.dumps(nested(65)))
    assert error.message == "The body's JSON is nested too deeply: at most 64 levels are taken."


def test_a_clients_long_key_does_not_become_a_long_error() -> None:
    error = refusal(check_chat_request, chat(**{"k" * 10_000: {"api_base": 1}}))
    assert len(error.message) < 512


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
FIELDS = ("messages", "tools", "tool_choice", "stop", "metadata", "prompt", "input", "stream_options", "logit_bias")


@given(st.binary() | st.text().map(str.encode) | JSON.map(lambda value: json.dumps(value).encode()))
@example(b'{"model":"m","messages":[{"role":"user","content":"x"}]}')
def test_any_bytes_become_a_request_or_its_refusal(body: bytes) -> None:
    for parse in (parse_chat_request, parse_text_request, parse_embeddings_request):
        result = outcome(parse, body)
        assert isinstance(result, InvalidRequest) or result.body == orjson.loads(body)


@given(
    st.dictionaries(st.sampled_from(FIELDS), JSON, min_size=1),
    st.sampled_from((check_chat_request, check_text_request, check_embeddings_request)),
)
def test_any_json_in_a_known_field_becomes_a_request_or_its_refusal(
    fields: dict[str, Any], check: Callable[[Any], Request]
) -> None:
    body = HELLO | PROMPT | INPUT | fields
    result = outcome(check, body)
    assert result.param if isinstance(result, InvalidRequest) else result.body is body


OPENAI_SHAPED = ("openai", "mistral", "groq", "openrouter", "deepseek", "azure-openai", "other-compat")
PARSERS: dict[str, Callable[[bytes], Request]] = {
    "chat": parse_chat_request,
    "completions-legacy": parse_text_request,
    "embeddings": parse_embeddings_request,
}


def of_another_dialect(exchange: dict[str, Any]) -> bool:
    """Azure may name the model in the URL's deployment, Mistral's agents are named by `agent_id`."""
    return "model" not in exchange["request"]["body"]


@needs_shared
@pytest.mark.parametrize("endpoint", PARSERS)
@pytest.mark.parametrize("provider", OPENAI_SHAPED)
def test_lets_in_what_providers_have_answered(provider: str, endpoint: str) -> None:
    for exchange in exchanges("recordings", provider=provider, endpoint=endpoint):
        body = exchange["request"]["body"]
        if not isinstance(body, dict) or exchange["response"]["status"] >= 300:
            continue
        if of_another_dialect(exchange):
            assert refusal(PARSERS[endpoint], orjson.dumps(body)).param == "model"
        else:
            assert PARSERS[endpoint](orjson.dumps(body)).body == body
