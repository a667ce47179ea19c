"""The request side of Gemini's format: a chat as the path and body of `generateContent`.

Three kinds of fields: those that have a word at Google, those that change what the answer means and are refused, and
hints, which are dropped and named. Google's own request fields may stand beside OpenAI's, spelt either way, at the top
or in `google` or `extra_body.google` as on Google's compatible endpoint: see `_EXTRAS`.
Sources: https://ai.google.dev/api/generate-content, https://ai.google.dev/gemini-api/docs/openai.
"""

import re
from typing import Any

import orjson

from clawgw.wire.codec import UpstreamRequest, WireTarget
from clawgw.wire.gemini.answer import MAX_CANDIDATES
from clawgw.wire.gemini.contents import Contents
from clawgw.wire.gemini.media import unsupported
from clawgw.wire.gemini.models import ModelTraits, traits_of
from clawgw.wire.gemini.tools import tool_fields
from clawgw.wire.json_body import get_object
from clawgw.wire.request import ChatRequest

Json = dict[str, Any]

_MODEL = re.compile(r"(?:models/|tunedModels/)?\w[\w.-]*", re.ASCII)
_SEEDS = range(-(2**31), 2**31)

_PLAIN = {"top_p": "topP", "seed": "seed"}
_SAMPLING = {"temperature", "top_p"}
_PENALTIES = {"presence_penalty": "presencePenalty", "frequency_penalty": "frequencyPenalty"}
_TIERS = {"default": "standard", "flex": "flex", "priority": "priority", "fast": "priority"}
_MODALITIES = frozenset(("text", "image"))
_FORMATS = ("json_object", "json_schema")
_REFUSED = ("functions", "audio")
_EXTRAS = {
    "safety_settings": "safetySettings",
    "cached_content": "cachedContent",
}
_CONFIG_EXTRAS = {
    "thinking_config": "thinkingConfig",
    "top_k": "topK",
    "media_resolution": "mediaResolution",
}
_TAKEN = frozenset(
    (
        *("model", "messages", "stream", "stream_options", "tools", "tool_choice", "web_search_options"),
        *("n", "max_tokens", "max_completion_tokens", "stop", "temperature", "logprobs", "top_logprobs"),
        *("response_format", "modalities", "service_tier", "reasoning_effort", "google", "extra_body"),
        *_PLAIN,
        *_PENALTIES,
        *(name for pair in (*_EXTRAS.items(), *_CONFIG_EXTRAS.items()) for name in pair),
    )
)


def model_path(model: str) -> str:
    """`models/NAME` or `tunedModels/NAME`, with no other character in it that means anything in a URL."""
    if not _MODEL.fullmatch(model):
        raise unsupported("A Gemini model's name has letters, digits, dots, dashes and underscores.", "model")
    return model if "/" in model else f"models/{model}"


def build_chat(request: ChatRequest, target: WireTarget) -> UpstreamRequest:
    """Raises `WireError` of kind UNSUPPORTED."""
    traits = traits_of(target.model)
    given = {name: value for name, value in request.body.items() if value is not None}
    for name in _REFUSED:
        if given.get(name):
            raise unsupported(f"Gemini does not take {name}.", name)
    dropped = _dropped(given, traits)
    wanted = {name: value for name, value in given.items() if name not in dropped}
    method = "streamGenerateContent?alt=sse" if request.stream else "generateContent"
    path = f"/{model_path(target.model)}:{method}"
    try:
        body = orjson.dumps(_body(wanted, traits, target))
    except orjson.JSONEncodeError as error:
        raise unsupported("The arguments of a tool call are nested too deeply.", "messages") from error
    return UpstreamRequest(path, body, dropped=sorted(dropped))


def _dropped(given: Json, traits: ModelTraits) -> set[str]:
    dropped = given.keys() - _TAKEN
    dropped |= set() if traits.sampling else _SAMPLING & given.keys()
    dropped |= set() if traits.penalties else _PENALTIES.keys() & given.keys()
    dropped |= {"reasoning_effort"} & given.keys() if not traits.thinking else set()
    dropped |= {"seed"} if given.get("seed", 0) not in _SEEDS else set()
    dropped |= {"service_tier"} if given.get("service_tier", "auto") not in {"auto", *_TIERS} else set()
    return dropped


def _body(given: Json, traits: ModelTraits, target: WireTarget) -> Json:
    contents = Contents(traits)
    contents.add(given["messages"])
    body = {**contents.body(), **tool_fields(given, traits), **_extras(given, _EXTRAS)}
    if config := _config(given, traits, target):
        body["generationConfig"] = config
    if tier := _TIERS.get(given.get("service_tier", "")):
        body["serviceTier"] = tier
    return body


def _config(given: Json, traits: ModelTraits, target: WireTarget) -> Json:
    """`generationConfig`."""
    wanted = {
        "temperature": given.get("temperature", target.default_temperature if traits.sampling else None),
        "maxOutputTokens": given.get("max_completion_tokens", given.get("max_tokens", target.default_max_tokens)),
        **{theirs: given.get(ours) for ours, theirs in (*_PLAIN.items(), *_PENALTIES.items())},
        "candidateCount": _candidates(given),
        "stopSequences": [stop] if isinstance(stop := given.get("stop"), str) else stop,
        "responseLogprobs": given.get("logprobs") or None,
        "logprobs": given.get("top_logprobs") or None,
        "responseModalities": _modalities(given),
        "thinkingConfig": traits.thinking.get(given.get("reasoning_effort", "")),
        **_response_format(given, traits),
        **_extras(given, _CONFIG_EXTRAS),
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _candidates(given: Json) -> int | None:
    count = int(given.get("n", 1))
    if count > MAX_CANDIDATES:
        raise unsupported(f"Gemini gives at most {MAX_CANDIDATES} candidates.", "n")
    return count if count > 1 else None


def _modalities(given: Json) -> list[str] | None:
    wanted = given.get("modalities", ["text"])
    if not _MODALITIES.issuperset(wanted):
        raise unsupported("Gemini answers here in text and images only.", "modalities")
    return [name.upper() for name in wanted] if wanted != ["text"] else None


def _response_format(given: Json, traits: ModelTraits) -> Json:
    wanted = given.get("response_format", {"type": "text"})
    if wanted["type"] == "text":
        return {}
    if wanted["type"] not in _FORMATS:
        raise unsupported(f"Gemini's response formats are text, {', '.join(_FORMATS)}.", "response_format")
    if given.get("tools") and not traits.combines_tools:
        raise unsupported("Gemini models before 3 take tools or a response format, not both.", "response_format")
    schema = get_object(wanted, "json_schema").get("schema")
    return {"responseMimeType": "application/json", "responseJsonSchema": schema}


def _extras(given: Json, names: dict[str, str]) -> Json:
    """Google's own fields, the innermost spelling first."""
    places = (get_object(get_object(given, "extra_body"), "google"), get_object(given, "google"), given)
    found = {}
    for snake, camel in names.items():
        value = next((place[name] for place in places for name in (snake, camel) if name in place), None)
        if value is not None:
            found[camel] = value
    return found
