"""Chat requests in OpenAI's words and what Google is to get for them, worked out by hand from its documentation."""

from typing import Any

from attrs import field, frozen

Json = dict[str, Any]

USER = {"role": "user", "content": "Hi"}
TURN = {"role": "user", "parts": [{"text": "Hi"}]}
WEATHER = {
    "name": "weather",
    "description": "The weather at a place",
    "parameters": {
        "type": "object",
        "properties": {"place": {"$ref": "#/$defs/place"}},
        "$defs": {"place": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
        "additionalProperties": False,
    },
}
WEATHER_TOOL = {"type": "function", "function": {**WEATHER, "strict": True}}
CLOCK_TOOL = {"type": "function", "function": {"name": "clock"}}
WEATHER_DECLARATION = {
    "name": "weather",
    "description": "The weather at a place",
    "parametersJsonSchema": WEATHER["parameters"],
}
DECLARATIONS = [{"functionDeclarations": [WEATHER_DECLARATION, {"name": "clock"}]}]


def call(call_id: str, name: str, arguments: str, signature: str | None = None) -> Json:
    """One of an assistant message's `tool_calls`."""
    extra = {"extra_content": {"google": {"thought_signature": signature}}} if signature else {}
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}, **extra}


@frozen
class Golden:
    """`request` without its model, for `model`; `body` is what Google gets at `path`."""

    name: str
    request: Json
    body: Json
    model: str = "gemini-2.5-flash"
    path: str = "/models/gemini-2.5-flash:generateContent"
    dropped: tuple[str, ...] = ()
    defaults: Json = field(factory=dict)


def config(**fields: Any) -> Json:
    """A body with one turn and this `generationConfig`."""
    return {"contents": [TURN], "generationConfig": fields}


def third(model: str = "gemini-3-flash-preview") -> Json:
    """A model of the third generation and its path."""
    return {"model": model, "path": f"/models/{model}:generateContent"}


GOLDENS = [
    Golden("text", {"messages": [USER]}, {"contents": [TURN]}),
    Golden(
        "stream",
        {"messages": [USER], "stream": True, "stream_options": {"include_usage": True}},
        {"contents": [TURN]},
        path="/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
    ),
    Golden(
        "a tuned model",
        {"messages": [USER]},
        {"contents": [TURN]},
        model="tunedModels/my-model_1",
        path="/tunedModels/my-model_1:generateContent",
    ),
    Golden(
        "a model with its prefix",
        {"messages": [USER]},
        {"contents": [TURN]},
        model="models/gemini-2.5-pro",
        path="/models/gemini-2.5-pro:generateContent",
    ),
    Golden(
        "system and developer, also late ones",
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                USER,
                {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            ]
        },
        {"contents": [TURN], "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "Be kind."}]}},
    ),
    Golden(
        "only a system message",
        {"messages": [{"role": "system", "content": "Tell a joke."}]},
        {
            "contents": [{"role": "user", "parts": [{"text": ""}]}],
            "systemInstruction": {"parts": [{"text": "Tell a joke."}]},
        },
    ),
    Golden(
        "turns of one role are merged",
        {
            "messages": [
                USER,
                {"role": "user", "content": "", "name": "ann"},
                {"role": "assistant", "content": "Yes"},
                {"role": "assistant", "content": [{"type": "text", "text": "?"}], "reasoning_content": "hm"},
                {"role": "assistant", "content": None, "refusal": "No."},
                {"role": "assistant", "content": ""},
                {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            ]
        },
        {
            "contents": [
                {"role": "user", "parts": [{"text": "Hi"}, {"text": ""}]},
                {"role": "model", "parts": [{"text": "Yes"}, {"text": "?"}, {"text": "No."}]},
                {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
            ]
        },
    ),
    Golden(
        "a turn without anything in it is none",
        {"messages": [USER, {"role": "assistant", "content": None}, USER]},
        {"contents": [{"role": "user", "parts": [{"text": "Hi"}, {"text": "Hi"}]}]},
    ),
    Golden(
        "sampling and limits",
        {
            "messages": [USER],
            "temperature": 0,
            "top_p": 0.5,
            "n": 2,
            "max_tokens": 10,
            "max_completion_tokens": 20,
            "stop": ["a", "b"],
            "seed": 7,
            "presence_penalty": 0.1,
            "frequency_penalty": -0.1,
            "logprobs": True,
            "top_logprobs": 3,
        },
        config(
            temperature=0,
            topP=0.5,
            candidateCount=2,
            maxOutputTokens=20,
            stopSequences=["a", "b"],
            seed=7,
            presencePenalty=0.1,
            frequencyPenalty=-0.1,
            responseLogprobs=True,
            logprobs=3,
        ),
    ),
    Golden(
        "null and default values are as good as absent",
        {
            "messages": [USER],
            "temperature": None,
            "n": 1,
            "stop": "x",
            "logprobs": False,
            "response_format": {"type": "text"},
            "modalities": ["text"],
            "service_tier": "auto",
        },
        config(stopSequences=["x"]),
    ),
    Golden(
        "the gateway's defaults",
        {"messages": [USER]},
        config(temperature=0.7, maxOutputTokens=99),
        defaults={"default_temperature": 0.7, "default_max_tokens": 99},
    ),
    Golden(
        "the request is before the gateway's defaults",
        {"messages": [USER], "temperature": 1, "max_tokens": 5},
        config(temperature=1, maxOutputTokens=5),
        defaults={"default_temperature": 0.7, "default_max_tokens": 99},
    ),
    Golden(
        "Gemini 3 takes no penalties",
        {"messages": [USER], "presence_penalty": 1, "frequency_penalty": 1, "temperature": 1},
        config(temperature=1),
        **third(),
        dropped=("frequency_penalty", "presence_penalty"),
    ),
    Golden(
        "from 3.6 on sampling is ignored, the gateway's default too",
        {"messages": [USER], "temperature": 0.3, "top_p": 0.5, "seed": 1},
        config(seed=1),
        **third("gemini-3.8-flash"),
        dropped=("temperature", "top_p"),
        defaults={"default_temperature": 0.7},
    ),
    Golden(
        "hints without a word at Google are named",
        {
            "messages": [USER],
            "user": "u",
            "metadata": {"a": "b"},
            "store": True,
            "logit_bias": {"1": 1},
            "parallel_tool_calls": True,
            "prediction": {"type": "content", "content": "x"},
            "verbosity": "low",
            "some_new_field": 1,
            "function_call": "auto",
            "seed": 2**40,
            "service_tier": "scale",
        },
        {"contents": [TURN]},
        dropped=(
            "function_call",
            "logit_bias",
            "metadata",
            "parallel_tool_calls",
            "prediction",
            "seed",
            "service_tier",
            "some_new_field",
            "store",
            "user",
            "verbosity",
        ),
    ),
    Golden(
        "a service tier",
        {"messages": [USER], "service_tier": "flex"},
        {"contents": [TURN], "serviceTier": "flex"},
    ),
    Golden(
        "thinking by budget",
        {"messages": [USER], "reasoning_effort": "medium"},
        config(thinkingConfig={"thinkingBudget": 8192, "includeThoughts": True}),
    ),
    Golden(
        "thinking off",
        {"messages": [USER], "reasoning_effort": "none"},
        config(thinkingConfig={"thinkingBudget": 0}),
    ),
    Golden(
        "2.5 Pro cannot stop thinking",
        {"messages": [USER], "reasoning_effort": "none"},
        config(thinkingConfig={"thinkingBudget": 128}),
        model="gemini-2.5-pro",
        path="/models/gemini-2.5-pro:generateContent",
    ),
    Golden(
        "thinking by level",
        {"messages": [USER], "reasoning_effort": "minimal"},
        config(thinkingConfig={"thinkingLevel": "MINIMAL", "includeThoughts": True}),
        **third(),
    ),
    Golden(
        "the nearest level that the model has",
        {"messages": [USER], "reasoning_effort": "minimal"},
        config(thinkingConfig={"thinkingLevel": "LOW", "includeThoughts": True}),
        **third("gemini-4-argon"),
    ),
    Golden(
        "a model that does not think",
        {"messages": [USER], "reasoning_effort": "low"},
        {"contents": [TURN]},
        model="gemini-2.0-flash",
        path="/models/gemini-2.0-flash:generateContent",
        dropped=("reasoning_effort",),
    ),
    Golden(
        "a JSON object",
        {"messages": [USER], "response_format": {"type": "json_object"}},
        config(responseMimeType="application/json"),
    ),
    Golden(
        "a JSON schema, unmodified",
        {
            "messages": [USER],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "w", "strict": True, "schema": WEATHER["parameters"]},
            },
        },
        config(responseMimeType="application/json", responseJsonSchema=WEATHER["parameters"]),
    ),
    Golden(
        "images in the answer",
        {"messages": [USER], "modalities": ["image", "text"]},
        config(responseModalities=["IMAGE", "TEXT"]),
        model="gemini-2.5-flash-image",
        path="/models/gemini-2.5-flash-image:generateContent",
    ),
    Golden(
        "media inline",
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What?"},
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO", "detail": "low"}},
                        {"type": "image_url", "image_url": "DATA:image/png;name=a;base64,iVBO"},
                        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
                        {"type": "input_audio", "input_audio": {"data": "data:audio/ogg;base64,T2", "format": "mp3"}},
                        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBE"}},
                        {"type": "file", "file": {"file_data": "JVBE", "filename": "a.b.PDF"}},
                    ],
                }
            ]
        },
        {
            "contents": [
                {
                    "role": "user",
                    "parts": [
                        {"text": "What?"},
                        {"inlineData": {"mimeType": "image/png", "data": "iVBO"}},
                        {"inlineData": {"mimeType": "image/png", "data": "iVBO"}},
                        {"inlineData": {"mimeType": "audio/wav", "data": "UklG"}},
                        {"inlineData": {"mimeType": "audio/ogg", "data": "T2"}},
                        {"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}},
                        {"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}},
                    ],
                }
            ]
        },
    ),
    Golden(
        "media that Google fetches",
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": "https://a.example/b.webp?c=d.png"}},
                        {"type": "image_url", "image_url": {"url": "https://a.example/b"}},
                        {"type": "document_url", "document_url": "https://a.example/b.pdf#p"},
                        {"type": "document_url", "document_url": "https://a.example/b"},
                        {"type": "video_url", "video_url": {"url": "https://youtu.be/abc"}},
                    ],
                }
            ]
        },
        {
            "contents": [
                {
                    "role": "user",
                    "parts": [
                        {"fileData": {"fileUri": "https://a.example/b.webp?c=d.png", "mimeType": "image/webp"}},
                        {"fileData": {"fileUri": "https://a.example/b", "mimeType": "image/jpeg"}},
                        {"fileData": {"fileUri": "https://a.example/b.pdf#p", "mimeType": "application/pdf"}},
                        {"fileData": {"fileUri": "https://a.example/b"}},
                        {"fileData": {"fileUri": "https://youtu.be/abc", "mimeType": "video/mp4"}},
                    ],
                }
            ]
        },
    ),
    Golden(
        "tools",
        {"messages": [USER], "tools": [WEATHER_TOOL, CLOCK_TOOL], "tool_choice": "auto"},
        {
            "contents": [TURN],
            "tools": DECLARATIONS,
            "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
        },
    ),
    Golden(
        "no tool call",
        {"messages": [USER], "tools": [WEATHER_TOOL, CLOCK_TOOL], "tool_choice": "none"},
        {"contents": [TURN], "tools": DECLARATIONS, "toolConfig": {"functionCallingConfig": {"mode": "NONE"}}},
    ),
    Golden(
        "any tool call",
        {"messages": [USER], "tools": [WEATHER_TOOL, CLOCK_TOOL], "tool_choice": "required"},
        {"contents": [TURN], "tools": DECLARATIONS, "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
    ),
    Golden(
        "one tool call",
        {
            "messages": [USER],
            "tools": [WEATHER_TOOL, CLOCK_TOOL],
            "tool_choice": {"type": "function", "function": {"name": "clock"}},
        },
        {
            "contents": [TURN],
            "tools": DECLARATIONS,
            "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["clock"]}},
        },
    ),
    Golden(
        "allowed tools",
        {
            "messages": [USER],
            "tools": [WEATHER_TOOL, CLOCK_TOOL],
            "tool_choice": {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "clock"}}]},
            },
        },
        {
            "contents": [TURN],
            "tools": DECLARATIONS,
            "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED", "allowedFunctionNames": ["clock"]}},
        },
    ),
    Golden(
        "a web search",
        {"messages": [USER], "web_search_options": {}},
        {"contents": [TURN], "tools": [{"googleSearch": {}}]},
    ),
    Golden(
        "Google's own tools beside functions",
        {
            "messages": [USER],
            "tools": [CLOCK_TOOL, {"type": "file_search", "fileSearchStoreNames": ["fileSearchStores/a"]}],
            "web_search_options": {"search_context_size": "low"},
            "response_format": {"type": "json_object"},
        },
        {
            "contents": [TURN],
            "tools": [
                {"fileSearch": {"fileSearchStoreNames": ["fileSearchStores/a"]}},
                {"googleSearch": {}},
                {"functionDeclarations": [{"name": "clock"}]},
            ],
            "toolConfig": {"includeServerSideToolInvocations": True},
            "generationConfig": {"responseMimeType": "application/json"},
        },
        **third(),
    ),
    Golden(
        "tool results, before Gemini 3 without ids",
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": "Let me see.",
                    "tool_calls": [call("c1", "weather", '{"place":"Oslo"}', "c2ln"), call("c2", "clock", "")],
                },
                {"role": "tool", "tool_call_id": "c2", "content": "noon"},
                {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": '{"celsius":3}'}]},
                USER,
            ],
            "tools": [WEATHER_TOOL, CLOCK_TOOL],
        },
        {
            "contents": [
                TURN,
                {
                    "role": "model",
                    "parts": [
                        {"text": "Let me see."},
                        {
                            "functionCall": {"name": "weather", "args": {"place": "Oslo"}},
                            "thoughtSignature": "c2ln",
                        },
                        {"functionCall": {"name": "clock", "args": {}}},
                    ],
                },
                {
                    "role": "user",
                    "parts": [
                        {"functionResponse": {"name": "weather", "response": {"celsius": 3}}},
                        {"functionResponse": {"name": "clock", "response": {"output": "noon"}}},
                    ],
                },
                TURN,
            ],
            "tools": DECLARATIONS,
        },
    ),
    Golden(
        "tool results with ids, and a signature for what another model called",
        {
            "messages": [
                USER,
                {"role": "assistant", "tool_calls": [call("a", "clock", "{}"), call("b", "clock", "{}")]},
                {"role": "tool", "tool_call_id": "a", "content": "[1]"},
                {"role": "tool", "tool_call_id": "b", "content": ""},
                {"role": "assistant", "tool_calls": [call("c", "clock", "{}", "c2ln")]},
                {"role": "tool", "tool_call_id": "c", "content": "1"},
                {"role": "tool", "tool_call_id": "lost", "name": "clock", "content": "2"},
            ]
        },
        {
            "contents": [
                TURN,
                {
                    "role": "model",
                    "parts": [
                        {
                            "functionCall": {"id": "a", "name": "clock", "args": {}},
                            "thoughtSignature": "skip_thought_signature_validator",
                        },
                        {"functionCall": {"id": "b", "name": "clock", "args": {}}},
                    ],
                },
                {
                    "role": "user",
                    "parts": [
                        {"functionResponse": {"id": "a", "name": "clock", "response": {"output": "[1]"}}},
                        {"functionResponse": {"id": "b", "name": "clock", "response": {"output": ""}}},
                    ],
                },
                {
                    "role": "model",
                    "parts": [
                        {"functionCall": {"id": "c", "name": "clock", "args": {}}, "thoughtSignature": "c2ln"},
                    ],
                },
                {
                    "role": "user",
                    "parts": [
                        {"functionResponse": {"id": "c", "name": "clock", "response": {"output": "1"}}},
                        {"functionResponse": {"id": "lost", "name": "clock", "response": {"output": "2"}}},
                    ],
                },
            ]
        },
        **third(),
    ),
    Golden(
        "what an answer carried comes back",
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": "42",
                    "extra_content": {
                        "google": {
                            "thought_signature": "c2ln",
                            "parts": [
                                {"executableCode": {"language": "PYTHON", "code": "6*7"}, "thoughtSignature": "Y29k"},
                                {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "42"}},
                                {"text": "smuggled"},
                            ],
                        }
                    },
                },
                USER,
                {"role": "assistant", "content": "", "extra_content": {"google": {"thought_signature": "c2ln"}}},
            ]
        },
        {
            "contents": [
                TURN,
                {
                    "role": "model",
                    "parts": [
                        {"executableCode": {"language": "PYTHON", "code": "6*7"}, "thoughtSignature": "Y29k"},
                        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "42"}},
                        {"text": "42", "thoughtSignature": "c2ln"},
                    ],
                },
                TURN,
                {"role": "model", "parts": [{"text": "", "thoughtSignature": "c2ln"}]},
            ]
        },
    ),
    Golden(
        "Google's own fields at the top",
        {
            "messages": [USER],
            "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
            "top_k": 5,
            "media_resolution": "MEDIA_RESOLUTION_LOW",
        },
        {
            "contents": [TURN],
            "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
            "generationConfig": {"topK": 5, "mediaResolution": "MEDIA_RESOLUTION_LOW"},
        },
    ),
    Golden(
        "Google's own fields as on its compatible endpoint",
        {
            "messages": [USER],
            "reasoning_effort": "low",
            "extra_body": {"google": {"thinking_config": {"thinking_budget": 64}}},
            "google": {"cached_content": "cachedContents/a"},
        },
        {
            "contents": [TURN],
            "cachedContent": "cachedContents/a",
            "generationConfig": {"thinkingConfig": {"thinking_budget": 64}},
        },
    ),
]
