"""What recorded exchanges cost, worked out by hand.

A row holds the recording, the target it is billed as, the arithmetic (tokens * USD per million, so the sum is in
millionths of a dollar) and the amount in USD. The token counts were read off the recording, the prices off the
vendors' pages as genai-prices 0.2.3 quotes them: developers.openai.com/api/docs/pricing,
platform.claude.com/docs/en/about-claude/pricing, ai.google.dev/gemini-api/docs/pricing, mistral.ai/pricing/api,
groq.com/pricing, openrouter.ai/models. Days are those on which the price was in force.
"""

from decimal import Decimal
from typing import Any

import orjson
import pytest
from attrs import frozen

from clawgw.ledger.cost import bill, cost
from clawgw.policy import Target
from clawgw.routing.money import pico_dollars
from clawgw.routing.prices import prices_of
from clawgw.wire.codec import WireTarget
from clawgw.wire.events import UsageReport
from clawgw.wire.formats import CODECS
from clawgw.wire.request import ChatRequest
from clawgw.wire.usage import Usage
from tests.shared import SHARED, exchanges, needs_shared

D = Decimal
NOV = 1_795_392_000.0  # 2026-11-23
AUG = 1_785_542_400.0  # 2026-08-01
WIRES = {"google": "gemini"}
ROUNDING = 1_000
"""OpenRouter adds floats."""


@frozen
class Row:
    recording: str
    target: str
    arithmetic: Decimal
    usd: str
    at: float = NOV
    until: bytes = b""
    """Where the stream broke off: nothing from here on had come."""
    wire: str | None = None

    @property
    def name(self) -> str:
        return f"{self.recording}{'-cut' if self.until else ''}{'-aug' if self.at == AUG else ''}"


ROWS = [
    # gpt-4.1: in 2.00, cached 0.50, out 8.00. A stream; 1144 in the prompt, 1024 of them cached.
    Row(
        "openai/crewai-openai-streaming-cached-prompt-tokens",
        "openai/gpt-4.1",
        120 * D("2.00") + 1024 * D("0.50") + 2 * D("8.00"),
        "0.000768",
    ),
    # gpt-4o-mini: in 0.15, cached 0.075, out 0.60.
    Row(
        "openai/crewai-task-emits-failed-event-on-execution-error-6",
        "openai/gpt-4o-mini",
        402 * D("0.15") + 1024 * D("0.075") + 17 * D("0.60"),
        "0.0001473",
    ),
    # gpt-5.6-sol: in 4.00, cache write 5.00, out 20.00; all of the answer is reasoning.
    Row(
        "openai/ddtrace-completion-prompt-caching-5-6-cache-write",
        "openai/gpt-5.6-sol",
        3 * D("4.00") + 1217 * D("5.00") + 100 * D("20.00"),
        "0.008097",
    ),
    # The same before 2026-08-21: in 5.00, cache write 6.25, out 30.00.
    Row(
        "openai/ddtrace-completion-prompt-caching-5-6-cache-write",
        "openai/gpt-5.6-sol",
        3 * D("5.00") + 1217 * D("6.25") + 100 * D("30.00"),
        "0.01062125",
        at=AUG,
    ),
    # o3-mini: in 1.10, out 4.40; 15 of the 30 are reasoning.
    Row(
        "openai/ddtrace-completion-reasoning",
        "openai/o3-mini-2025-01-31",
        12 * D("1.10") + 30 * D("4.40"),
        "0.0001452",
    ),
    # gpt-4o-audio-preview: text in 2.50, sound in 40.00, text out 10.00.
    Row(
        "openai/envoy-audio-to-text",
        "openai/gpt-4o-audio-preview",
        27 * D("2.50") + 1 * D("40.00") + 17 * D("10.00"),
        "0.0002775",
    ),
    # gpt-5-nano: in 0.05, out 0.40; a tool call after 150 tokens of reasoning.
    Row("openai/envoy-text-to-image-tool", "openai/gpt-5-nano", 206 * D("0.05") + 150 * D("0.40"), "0.0000703"),
    # gpt-5: in 1.25, out 10.00; a stream, 320 of the 379 are reasoning.
    Row(
        "openai/fantasy-testopenaicommon-openai-gpt-5-multi-tool-streaming",
        "openai/gpt-5",
        190 * D("1.25") + 379 * D("10.00"),
        "0.0040275",
    ),
    # gpt-5.6-terra: in 2.00, out 12.00 since 2026-07-30.
    Row(
        "openai/lingua-chatcompletionsanthropiccachecontrolparam-response",
        "openai/gpt-5.6-terra",
        20 * D("2.00") + 39 * D("12.00"),
        "0.000508",
    ),
    # claude-sonnet-4-5: in 3.00, cache write (5 min) 3.75, cache read 0.30, out 15.00; 59 of the 158 are thinking.
    Row(
        "anthropic/btjs-flue-instrumentation-flue-v0-8-0-1",
        "anthropic/claude-sonnet-4-5-20250929",
        13 * D("3.00") + 236 * D("3.75") + 2222 * D("0.30") + 158 * D("15.00"),
        "0.0039606",
    ),
    # The same stream, broken off after `message_start`: the prompt, and the one token that had been counted.
    Row(
        "anthropic/btjs-flue-instrumentation-flue-v0-8-0-1",
        "anthropic/claude-sonnet-4-5-20250929",
        13 * D("3.00") + 236 * D("3.75") + 2222 * D("0.30") + 1 * D("15.00"),
        "0.0016056",
        until=b"event: content_block_start",
    ),
    Row(
        "anthropic/btjs-flue-instrumentation-flue-v0-8-0-3",
        "anthropic/claude-sonnet-4-5-20250929",
        13 * D("3.00") + 194 * D("3.75") + 2692 * D("0.30") + 51 * D("15.00"),
        "0.0023391",
    ),
    # claude-sonnet-5: in 2.00, cache write (5 min) 2.50, cache read 0.20, out 10.00.
    Row(
        "anthropic/pai-anthropic-code-execution-files-cache-prefix-stable-messa-d95c91-2",
        "anthropic/claude-sonnet-5",
        4 * D("2.00") + 426 * D("2.50") + 14210 * D("0.20") + 290 * D("10.00"),
        "0.006815",
    ),
    # claude-sonnet-4-5 with one web search at 10 USD a thousand.
    Row(
        "anthropic/pai-thinking-with-native-tool-wire-contract-anthropic",
        "anthropic/claude-sonnet-4-5",
        7744 * D("3.00") + 353 * D("15.00") + 1 * D("10000.00"),
        "0.038527",
    ),
    # claude-sonnet-4-6: in 3.00, cache read 0.30, out 15.00.
    Row(
        "anthropic/chatlas-anthropic-file-lifecycle-async-1",
        "anthropic/claude-sonnet-4-6",
        3 * D("3.00") + 1636 * D("0.30") + 4 * D("15.00"),
        "0.0005598",
    ),
    Row(
        "anthropic/rig-pdf-citations-pdf-document-citations-decode-as-page-locations",
        "anthropic/claude-sonnet-4-6",
        22590 * D("3.00") + 53 * D("15.00"),
        "0.068565",
    ),
    # claude-3-5-haiku: in 0.80, out 4.00.
    Row(
        "anthropic/crewai-testcrewmultimodalfileupload-test-image-upload-anthropic-1",
        "anthropic/claude-3-5-haiku-20241022",
        647 * D("0.80") + 72 * D("4.00"),
        "0.0008056",
    ),
    # gemini-2.5-flash: in 0.30, cached 0.03, out 2.50. Prompt 19 and 69 for tools, 4 cached; answer 46, thoughts 138.
    Row(
        "gemini/btjs-google-genai-instrumentation-google-genai-v1-8",
        "google/gemini-2.5-flash",
        84 * D("0.30") + 4 * D("0.03") + (46 + 138) * D("2.50"),
        "0.00048532",
    ),
    # Sound in 1.00: 144 of the 214.
    Row(
        "gemini/pai-multimodal-tool-return-matrix-tool-return-content-upload-dd5ea1-1",
        "google/gemini-2.5-flash",
        70 * D("0.30") + 144 * D("1.00") + (19 + 58) * D("2.50"),
        "0.0003575",
    ),
    Row(
        "gemini/rig-cached-content-matrix-edge-cached-code-execution-1",
        "google/gemini-2.5-flash",
        (1107 + 1171 - 1081) * D("0.30") + 1081 * D("0.03") + (21 + 41) * D("2.50"),
        "0.00054653",
    ),
    Row(
        "gemini/rubyllm-cachedcontent-explicit-caching-round-trip-gemini-gemini--f95f2e-1",
        "google/gemini-2.5-flash",
        13 * D("0.30") + 9609 * D("0.03") + (35 + 136) * D("2.50"),
        "0.00071967",
    ),
    # gemini-3-flash-preview: in 0.50, sound in 1.00, out 3.00.
    Row(
        "gemini/pai-code-execution-1",
        "google/gemini-3-flash-preview",
        (893 + 3056) * D("0.50") + (106 + 1312) * D("3.00"),
        "0.0062285",
    ),
    Row(
        "gemini/rig-thought-text-matrix-transcription-with-thoughts-on-gemin-59ab98",
        "google/gemini-3-flash-preview",
        14 * D("0.50") + 138 * D("1.00") + (17 + 796) * D("3.00"),
        "0.002584",
    ),
    # mistral-large-latest is Large 3: in 0.50, cached 0.05, out 1.50.
    Row(
        "mistral/pai-mistral-history-uses-prompt-cache-1",
        "mistral/mistral-large-latest",
        44 * D("0.50") + 224 * D("0.05") + 5 * D("1.50"),
        "0.0000407",
    ),
    # mistral-small-latest is Small 4: in 0.15, cached 0.015, out 0.60.
    Row(
        "mistral/rubyllm-tool-choice-and-calls-control-mistral-mistral-small-late-b4cddf",
        "mistral/mistral-small-latest",
        32 * D("0.15") + 112 * D("0.015") + 28 * D("0.60"),
        "0.00002328",
    ),
    # voxtral-small: in 0.10, out 0.40, and 0.24 USD for an hour of sound, of which there are 4 s: 266.666… millionths.
    Row(
        "mistral/rubyllm-audio-models-mistral-voxtral-small-latest-can-understand-91fa00",
        "mistral/voxtral-small-latest",
        9 * D("0.10") + 201 * D("0.40") + D("266.666666"),
        "0.000347966666",
    ),
    # magistral-medium: in 2.00, out 5.00; its cached tokens have no price of their own.
    Row(
        "mistral/ddtrace-mistral-v1-chat-completions-post-ccfa08da",
        "mistral/magistral-medium-latest",
        10 * D("2.00") + 63 * D("5.00"),
        "0.000335",
    ),
    # gpt-oss-20b at Groq: in 0.075, cached 0.0375, out 0.30.
    Row(
        "groq/rig-prompt-caching-blocking-probe-1",
        "groq/openai/gpt-oss-20b",
        3 * D("0.075") + 1792 * D("0.0375") + 16 * D("0.30"),
        "0.000072225",
    ),
    Row(
        "groq/rig-prompt-caching-streaming-probe",
        "groq/openai/gpt-oss-20b",
        3 * D("0.075") + 1792 * D("0.0375") + 16 * D("0.30"),
        "0.000072225",
    ),
    Row(
        "groq/btjs-groq-instrumentation-groq-v1-2",
        "groq/openai/gpt-oss-20b",
        108 * D("0.075") + 168 * D("0.30"),
        "0.0000585",
    ),
    # OpenRouter says what it has billed: 474 * 1.75 + 1704 * 14.00.
    Row(
        "openrouter/rig-reasoning-roundtrip-nonstreaming-1",
        "openrouter/openai/gpt-5.2",
        474 * D("1.75") + 1704 * D("14.00"),
        "0.0246855",
    ),
    # Billed by the upstream, on a key of one's own: cost 0, upstream_inference_cost 480 * 0.30 + 33 * 2.50.
    Row(
        "openrouter/pai-openrouter-google-nested-schema-1",
        "openrouter/google/gemini-2.5-flash",
        480 * D("0.30") + 33 * D("2.50"),
        "0.0002265",
    ),
    # The search is in the reported cost: 650.9169 for the tokens, 7000 for the search.
    Row(
        "openrouter/pai-openrouter-web-search-annotations-stream",
        "openrouter/deepseek/deepseek-chat",
        D("650.9169") + D(7000),
        "0.0076509169",
    ),
    # claude-sonnet-4.6: 1 * 3.00, 79 written at 3.75, 2569 read at 0.30, out 15.00; the reported cost is the same.
    Row(
        "openrouter/pai-openrouter-cache-all-settings-real-api-1",
        "openrouter/anthropic/claude-sonnet-4.6",
        1 * D("3.00") + 79 * D("3.75") + 2569 * D("0.30") + 100 * D("15.00"),
        "0.00256995",
    ),
    # Nothing reported: claude-3-haiku, in 0.25, out 1.25.
    Row(
        "openrouter/raix-does-a-completion-with-prompt-caching",
        "openrouter/anthropic/claude-3-haiku",
        4884 * D("0.25") + 285 * D("1.25"),
        "0.00157725",
    ),
    # Anthropic's format at OpenRouter, with OpenRouter's cost: 32 * 1.00 + 16 * 5.00.
    Row(
        "anthropic/rig-streaming-gateway-message-delta-metadata",
        "openrouter/anthropic/claude-haiku-4.5",
        32 * D("1.00") + 16 * D("5.00"),
        "0.000112",
        wire="anthropic",
    ),
]


def usage_in(row: Row) -> Usage | None:
    """What the codec of the recording's provider makes of it."""
    exchange = orjson.loads((SHARED / "recordings" / f"{row.recording}.json").read_bytes())
    provider, model = row.target.split("/", 1)
    wire = row.wire or WIRES.get(provider, provider)
    return parsed(exchange["response"], wire, WireTarget(provider, model), row.until)


def parsed(response: dict[str, Any], wire: str, target: WireTarget, until: bytes = b"") -> Usage | None:
    request = ChatRequest({}, target.model, stream=True, include_usage=True)
    if "raw" not in response:
        return CODECS[wire].parse_chat(orjson.dumps(response["body"]), request, target, 0.0).usage
    parser = CODECS[wire].chat_stream(request, target, 0.0)
    raw = response["raw"].encode()
    events = parser.feed(raw.split(until)[0] if until else raw) + parser.finish()
    return next((event.usage for event in reversed(events) if isinstance(event, UsageReport)), None)


@needs_shared
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_recorded_exchange_costs_what_it_does_on_paper(row: Row) -> None:
    assert row.arithmetic == D(row.usd) * 10**6
    usage = usage_in(row)
    assert usage is not None
    assert bill(usage, Target(*row.target.split("/", 1)), prices_of({}), row.at) == D(row.usd) * 10**12


@needs_shared
def test_openrouter_s_own_bills_are_what_the_table_says() -> None:
    """What it says it has billed is an opinion other than ours; searches, files and sounds make it more."""
    same, more = 0, 0
    for exchange in exchanges("recordings", provider="openrouter", endpoint="chat", status=200):
        target = Target("openrouter", exchange["request"]["body"]["model"])
        usage = parsed(exchange["response"], "openrouter", WireTarget(target.provider, target.model))
        price = prices_of({}).listed(target, NOV)
        if usage is None or price is None or usage.particulars.cost_usd is None:
            continue
        reported, ours = pico_dollars(usage.particulars.cost_usd), cost(usage, price)
        assert reported >= ours - ROUNDING
        same += abs(reported - ours) <= ROUNDING
        more += reported > ours + ROUNDING
    assert same > 6 * more > 0
