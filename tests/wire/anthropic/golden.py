"""OpenAI requests and the Anthropic bodies they must become, worked out by hand from Anthropic's documentation.

Pages: messages/create, extended-thinking, adaptive-thinking, effort, structured-outputs, define-tools, vision,
pdf-support, files, mid-conversation-system-messages and the models' "what's new", all on platform.claude.com/docs.
"""

from typing import Any

from attrs import field, frozen

HAIKU = "claude-haiku-4-5"
SONNET_4_5 = "claude-sonnet-4-5-20250929"
SONNET_4_6 = "claude-sonnet-4-6"
SONNET_5_5 = "claude-sonnet-5-5"
OPUS_4 = "claude-opus-4-20250514"
OPUS_5 = "claude-opus-5"
OPUS_5_5 = "claude-opus-5-5"

HI = {"role": "user", "content": "Hi"}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        "strict": True,
    },
}
WEATHER_SENT = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": True,
}
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
SIGNED = {"type": "thinking", "thinking": "Paris, then.", "signature": "c2lnbmVk+/="}
REDACTED = {"type": "redacted_thinking", "data": "b3BhcXVl"}


def call(identity: str, arguments: str, **more: Any) -> dict[str, Any]:
    """A past call of `get_weather`."""
    return {
        "id": identity,
        "type": "function",
        "function": {"name": "get_weather", "arguments": arguments},
        **more,
    }


@frozen
class Golden:
    """`asked` lacks `model`, `sent` lacks `model` and, where it is the default 8192, `max_tokens`."""

    name: str
    asked: dict[str, Any]
    sent: dict[str, Any]
    model: str = HAIKU
    dropped: tuple[str, ...] = ()
    target: dict[str, Any] = field(factory=dict)
    betas: str | None = None


PAIRS = [
    Golden("the least", {"messages": [HI]}, {"messages": [HI]}),
    Golden(
        "a system prompt is a string",
        {"messages": [{"role": "system", "content": "Be brief."}, HI]},
        {"system": "Be brief.", "messages": [HI]},
    ),
    Golden(
        "several leading instructions are blocks",
        {"messages": [{"role": "system", "content": "Be brief."}, {"role": "developer", "content": "Be kind."}, HI]},
        {
            "system": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind."}],
            "messages": [HI],
        },
    ),
    Golden(
        "a mark for the cache keeps blocks",
        {
            "messages": [
                {
                    "role": "system",
                    "content": [{"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
                },
                {**HI, "cache_control": {"type": "ephemeral"}},
            ],
            "tools": [{**WEATHER, "cache_control": {"type": "ephemeral"}}],
        },
        {
            "system": [{"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}],
                }
            ],
            "tools": [{**WEATHER_SENT, "cache_control": {"type": "ephemeral"}}],
        },
    ),
    Golden(
        "a later instruction is text of the user's on an older model",
        {
            "messages": [
                HI,
                {"role": "assistant", "content": "Hello"},
                {"role": "developer", "content": "French from now on."},
                {"role": "user", "content": "And you?"},
            ]
        },
        {
            "messages": [
                HI,
                {"role": "assistant", "content": "Hello"},
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "French from now on."}, {"type": "text", "text": "And you?"}],
                },
            ]
        },
    ),
    Golden(
        "a later instruction keeps its role where the model takes it",
        {
            "messages": [
                HI,
                {"role": "system", "content": "French from now on."},
                {"role": "assistant", "content": "Salut"},
                {"role": "user", "content": "And you?"},
            ]
        },
        {
            "messages": [
                HI,
                {"role": "system", "content": "French from now on."},
                {"role": "assistant", "content": "Salut"},
                {"role": "user", "content": "And you?"},
            ]
        },
        model=OPUS_5,
    ),
    Golden(
        "an instruction between two users' messages has no place of its own",
        {"messages": [HI, {"role": "system", "content": "French."}, {"role": "user", "content": "Well?"}]},
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Hi"},
                        {"type": "text", "text": "French."},
                        {"type": "text", "text": "Well?"},
                    ],
                }
            ]
        },
        model=OPUS_5,
    ),
    Golden(
        "instructions alone are the user's turn",
        {"messages": [{"role": "system", "content": "Say hello."}]},
        {"messages": [{"role": "user", "content": "Say hello."}]},
    ),
    Golden(
        "images inline and by URL",
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Compare"},
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0K", "detail": "low"}},
                        {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,/9j/4AAQ"}},
                        {"type": "image_url", "image_url": {"url": "https://example.com/a.webp"}},
                    ],
                }
            ]
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Compare"},
                        {
                            "type": "image",
                            "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0K"},
                        },
                        {
                            "type": "image",
                            "source": {"type": "base64", "media_type": "image/jpeg", "data": "/9j/4AAQ"},
                        },
                        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.webp"}},
                    ],
                }
            ]
        },
    ),
    Golden(
        "files: PDF, text, by URL and by id",
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "file",
                            "file": {"file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a.pdf"},
                        },
                        {"type": "file", "file": {"file_data": "data:text/markdown;base64,IyBIw6k="}},
                        {"type": "file", "file": {"file_data": "https://example.com/b.pdf"}},
                        {"type": "file", "file": {"file_id": "file_011"}},
                    ],
                }
            ]
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "document",
                            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
                            "title": "a.pdf",
                        },
                        {
                            "type": "document",
                            "source": {"type": "text", "media_type": "text/plain", "data": "# Hé"},
                        },
                        {"type": "document", "source": {"type": "url", "url": "https://example.com/b.pdf"}},
                        {"type": "document", "source": {"type": "file", "file_id": "file_011"}},
                    ],
                }
            ]
        },
        betas="files-api-2025-04-14",
    ),
    Golden(
        "a tool, a choice, one call at a time",
        {
            "messages": [HI],
            "tools": [WEATHER, {"type": "function", "function": {"name": "now"}}],
            "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
            "parallel_tool_calls": False,
        },
        {
            "messages": [HI],
            "tools": [WEATHER_SENT, {"name": "now", "input_schema": {"type": "object", "properties": {}}}],
            "tool_choice": {"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True},
        },
    ),
    Golden(
        "required is any",
        {"messages": [HI], "tools": [WEATHER], "tool_choice": "required", "parallel_tool_calls": True},
        {"messages": [HI], "tools": [WEATHER_SENT], "tool_choice": {"type": "any"}},
    ),
    Golden(
        "none stays none, with nothing about parallel calls",
        {"messages": [HI], "tools": [WEATHER], "tool_choice": "none", "parallel_tool_calls": False},
        {"messages": [HI], "tools": [WEATHER_SENT], "tool_choice": {"type": "none"}},
    ),
    Golden(
        "one call at a time without a choice",
        {"messages": [HI], "tools": [WEATHER], "parallel_tool_calls": False},
        {
            "messages": [HI],
            "tools": [WEATHER_SENT],
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        },
    ),
    Golden(
        "allowed tools are the only ones sent",
        {
            "messages": [HI],
            "tools": [WEATHER, {"type": "function", "function": {"name": "now"}}],
            "tool_choice": {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [{"type": "function", "function": {"name": "get_weather"}}],
                },
            },
        },
        {"messages": [HI], "tools": [WEATHER_SENT], "tool_choice": {"type": "any"}},
    ),
    Golden(
        "a choice without tools means nothing",
        {"messages": [HI], "tool_choice": "auto", "parallel_tool_calls": False},
        {"messages": [HI]},
        dropped=("parallel_tool_calls", "tool_choice"),
    ),
    Golden(
        "tools of Anthropic's own and web search",
        {
            "messages": [HI],
            "tools": [{"type": "code_execution_20250825", "name": "code_execution"}],
            "web_search_options": {
                "search_context_size": "high",
                "user_location": {"type": "approximate", "approximate": {"city": "Bern", "country": "CH"}},
            },
        },
        {
            "messages": [HI],
            "tools": [
                {"type": "code_execution_20250825", "name": "code_execution"},
                {
                    "type": "web_search_20250305",
                    "name": "web_search",
                    "max_uses": 10,
                    "user_location": {"type": "approximate", "city": "Bern", "country": "CH"},
                },
            ],
        },
    ),
    Golden(
        "parallel calls: one user turn, every result first",
        {
            "messages": [
                HI,
                {
                    "role": "assistant",
                    "content": "Looking.",
                    "tool_calls": [call("toolu_1", '{"city":"Bern"}'), call("toolu_2", "")],
                },
                {"role": "tool", "tool_call_id": "toolu_1", "content": "12 °C"},
                {
                    "role": "tool",
                    "tool_call_id": "toolu_2",
                    "content": [
                        {"type": "text", "text": "a map"},
                        {"type": "image_url", "image_url": {"url": "https://example.com/m.png"}},
                    ],
                },
                {"role": "user", "content": "So?"},
            ],
            "tools": [WEATHER],
        },
        {
            "messages": [
                HI,
                {
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": "Looking."},
                        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Bern"}},
                        {"type": "tool_use", "id": "toolu_2", "name": "get_weather", "input": {}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "12 °C"},
                        {
                            "type": "tool_result",
                            "tool_use_id": "toolu_2",
                            "content": [
                                {"type": "text", "text": "a map"},
                                {"type": "image", "source": {"type": "url", "url": "https://example.com/m.png"}},
                            ],
                        },
                        {"type": "text", "text": "So?"},
                    ],
                },
            ],
            "tools": [WEATHER_SENT],
        },
    ),
    Golden(
        "an id from elsewhere is hashed the same in the call and its result",
        {
            "messages": [
                HI,
                {"role": "assistant", "content": None, "tool_calls": [call("functions.get_weather:0", "{}")]},
                {"role": "tool", "tool_call_id": "functions.get_weather:0", "content": ""},
            ]
        },
        {
            "messages": [
                HI,
                {
                    "role": "assistant",
                    "content": [
                        {
                            "type": "tool_use",
                            # printf %s functions.get_weather:0 | sha256sum | cut -c-32
                            "id": "toolu_79ac1aaab216b228c7ab22411b23ccfa",
                            "name": "get_weather",
                            "input": {},
                        }
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "toolu_79ac1aaab216b228c7ab22411b23ccfa",
                            "content": "",
                        }
                    ],
                },
            ]
        },
    ),
    Golden(
        "limits, stops, sampling and who asks",
        {
            "messages": [HI],
            "max_tokens": 50,
            "max_completion_tokens": 60,
            "stop": ["END", "\n", "  "],
            "temperature": 0.5,
            "user": "u-1",
            "safety_identifier": "s-1",
            "service_tier": "default",
            "stream": True,
            "stream_options": {"include_usage": True},
        },
        {
            "messages": [HI],
            "max_tokens": 60,
            "stop_sequences": ["END"],
            "temperature": 0.5,
            "metadata": {"user_id": "s-1"},
            "service_tier": "standard_only",
            "stream": True,
        },
        dropped=("stop",),
    ),
    Golden(
        "hints without an equal are dropped and named, nulls and defaults are not",
        {
            "messages": [HI],
            "seed": 1,
            "presence_penalty": 0.1,
            "frequency_penalty": 0.1,
            "logit_bias": {"1": 1},
            "store": True,
            "metadata": {"a": "b"},
            "prediction": {"type": "content", "content": "x"},
            "verbosity": "low",
            "prompt_cache_key": "k",
            "service_tier": "flex",
            "n": 1,
            "logprobs": False,
            "top_logprobs": None,
            "modalities": ["text"],
            "some_new_field": 1,
            "not a header\r\n": 1,
        },
        {"messages": [HI]},
        dropped=(
            "frequency_penalty",
            "logit_bias",
            "metadata",
            "prediction",
            "presence_penalty",
            "prompt_cache_key",
            "seed",
            "service_tier",
            "some_new_field",
            "store",
            "verbosity",
        ),
    ),
    Golden(
        "temperature above Anthropic's maximum is left at it, which is the default",
        {"messages": [HI], "temperature": 1.5, "top_p": 0.9},
        {"messages": [HI], "top_p": 0.9},
        dropped=("temperature",),
    ),
    Golden(
        "temperature or top_p, not both, since Opus 4.1",
        {"messages": [HI], "temperature": 0.2, "top_p": 0.9},
        {"messages": [HI], "temperature": 0.2},
        dropped=("top_p",),
    ),
    Golden(
        "temperature and top_p both on Opus 4",
        {"messages": [HI], "temperature": 0.2, "top_p": 0.9, "top_k": 5},
        {"messages": [HI], "temperature": 0.2, "top_p": 0.9, "top_k": 5},
        model=OPUS_4,
    ),
    Golden(
        "the configured defaults, held to the model's maximum",
        {"messages": [HI]},
        {"messages": [HI], "max_tokens": 64000, "temperature": 0.3},
        target={"default_temperature": 0.3, "default_max_tokens": 100_000},
    ),
    Golden(
        "no sampling at all under the version that refuses it",
        {"messages": [HI], "temperature": 1},
        {"messages": [HI]},
        dropped=("temperature",),
        target={"api_version": "2026-10-21", "default_temperature": 0.3},
    ),
    Golden(
        "structured output",
        {
            "messages": [HI],
            "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}},
        },
        {"messages": [HI], "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    ),
    Golden(
        "effort is a level and adaptive thinking since 4.6, with structured output beside it",
        {
            "messages": [HI],
            "reasoning_effort": "medium",
            "temperature": 0.2,
            "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
        },
        {
            "messages": [HI],
            "max_tokens": 16384,
            "thinking": {"type": "adaptive", "display": "summarized"},
            "output_config": {"effort": "medium", "format": {"type": "json_schema", "schema": SCHEMA}},
        },
        model=SONNET_4_6,
        dropped=("temperature",),
    ),
    Golden(
        "a level that the model lacks is the next lower",
        {"messages": [HI], "reasoning_effort": "xhigh", "max_tokens": 9000},
        {
            "messages": [HI],
            "max_tokens": 9000,
            "thinking": {"type": "adaptive", "display": "summarized"},
            "output_config": {"effort": "high"},
        },
        model=SONNET_4_6,
    ),
    Golden(
        "minimal is low",
        {"messages": [HI], "reasoning_effort": "minimal", "max_tokens": 9000},
        {
            "messages": [HI],
            "max_tokens": 9000,
            "thinking": {"type": "adaptive", "display": "summarized"},
            "output_config": {"effort": "low"},
        },
        model=OPUS_5_5,
    ),
    Golden(
        "effort is a budget before 4.6, with room for the answer",
        {"messages": [HI], "reasoning_effort": "low"},
        {"messages": [HI], "max_tokens": 10240, "thinking": {"type": "enabled", "budget_tokens": 2048}},
        model=SONNET_4_5,
    ),
    Golden(
        "a budget within what was asked for",
        {"messages": [HI], "reasoning_effort": "high", "max_tokens": 5000},
        {"messages": [HI], "max_tokens": 5000, "thinking": {"type": "enabled", "budget_tokens": 4000}},
        model=SONNET_4_5,
    ),
    Golden(
        "too little for a budget",
        {"messages": [HI], "reasoning_effort": "high", "max_tokens": 1200},
        {"messages": [HI], "max_tokens": 1200},
        model=SONNET_4_5,
        dropped=("reasoning_effort",),
    ),
    Golden(
        "no thinking where it can be turned off",
        {"messages": [HI], "reasoning_effort": "none"},
        {"messages": [HI], "thinking": {"type": "disabled"}},
        model=OPUS_5,
    ),
    Golden(
        "no thinking up front on Sonnet 5.5",
        {"messages": [HI], "reasoning_effort": "none"},
        {"messages": [HI], "thinking": {"type": "between_tools"}},
        model=SONNET_5_5,
    ),
    Golden(
        "as little as there is where thinking is always on",
        {"messages": [HI], "reasoning_effort": "none"},
        {"messages": [HI], "output_config": {"effort": "low"}},
        model=OPUS_5_5,
        dropped=("reasoning_effort",),
    ),
    Golden(
        "a model that cannot think",
        {"messages": [HI], "reasoning_effort": "high"},
        {"messages": [HI]},
        model="claude-3-5-haiku-20241022",
        dropped=("reasoning_effort",),
    ),
    Golden(
        "a model that cannot think is asked not to",
        {"messages": [HI], "reasoning_effort": "none"},
        {"messages": [HI], "max_tokens": 4096},
        model="claude-3-haiku-20240307",
    ),
    Golden(
        "thinking comes back first, byte for byte",
        {
            "messages": [
                HI,
                {
                    "role": "assistant",
                    "content": "Looking.",
                    "reasoning_content": "Paris, then.",
                    "tool_calls": [call("toolu_1", '{"city":"Paris"}')],
                    "extra_content": {"anthropic": {"thinking_blocks": [SIGNED, REDACTED]}},
                },
                {"role": "tool", "tool_call_id": "toolu_1", "content": "12"},
            ],
            "reasoning_effort": "low",
        },
        {
            "messages": [
                HI,
                {
                    "role": "assistant",
                    "content": [
                        SIGNED,
                        REDACTED,
                        {"type": "text", "text": "Looking."},
                        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}},
                    ],
                },
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "12"}]},
            ],
            "max_tokens": 10240,
            "thinking": {"type": "enabled", "budget_tokens": 2048},
        },
        model=SONNET_4_5,
    ),
    Golden(
        "fields of Anthropic's own",
        {
            "messages": [HI],
            "thinking": {"type": "enabled", "budget_tokens": 3000},
            "reasoning_effort": "high",
            "output_config": {"task_budget": {"type": "tokens", "total": 20000}},
            "cache_control": {"type": "ephemeral"},
            "context_management": {"edits": []},
            "container": "container_1",
            "mcp_servers": [{"type": "url", "name": "w", "url": "https://mcp.example.com"}],
            "betas": ["mcp-client-2025-11-20", "context-management-2025-06-27"],
        },
        {
            "messages": [HI],
            "max_tokens": 11192,
            "thinking": {"type": "enabled", "budget_tokens": 3000},
            "output_config": {"task_budget": {"type": "tokens", "total": 20000}},
            "cache_control": {"type": "ephemeral"},
            "context_management": {"edits": []},
            "container": "container_1",
            "mcp_servers": [{"type": "url", "name": "w", "url": "https://mcp.example.com"}],
        },
        dropped=("reasoning_effort",),
        betas="mcp-client-2025-11-20,context-management-2025-06-27",
    ),
]
