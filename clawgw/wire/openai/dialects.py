"""The OpenAI-shaped providers as data: what each takes, drops, refuses and calls by another name.

A new OpenAI-compatible provider is one more entry here. `openai` also serves every provider of one's own with
`wire = "openai"`, so what only api.openai.com refuses hangs on the names of its models. Each entry names its pages.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from attrs import field, frozen

from clawgw.wire.openai.draft import Draft
from clawgw.wire.openai.mistral import fit_mistral
from clawgw.wire.openai.models import fit_openai
from clawgw.wire.openai.moonshot import fit_moonshot
from clawgw.wire.openai.openrouter import fit_openrouter

FOREIGN = frozenset({"extra_content", "thinking_blocks"})
"""What other providers' answers carry of their own in messages and calls; it means nothing here."""
IMAGES = frozenset({"images"})
"""What Gemini's answers and OpenRouter's hold beside OpenAI's own message; only OpenRouter takes it back."""


@frozen
class Rule:
    """What the models that match one of `models` (shell-style, lower case) take differently."""

    models: tuple[str, ...] = ("*",)
    drops: tuple[str, ...] = ()
    """Hints that are left out, and named to the client."""
    refuses: tuple[str, ...] = ()
    """Features without which the answer would mean something else: the target is skipped."""
    renames: Mapping[str, str] = field(factory=dict)
    message_drops: frozenset[str] = frozenset()
    """Fields left out of every message, in silence."""
    values: Mapping[str, Mapping[str, str | None]] = field(factory=dict)
    """Field → value → the nearest one that is taken, or None to drop the field."""
    fields: frozenset[str] = field(init=False, repr=False)
    """All that it is about."""

    @fields.default
    def _all_fields(self) -> frozenset[str]:
        return frozenset({*self.drops, *self.refuses, *self.renames, *self.values})


def _and_foreign(names: frozenset[str]) -> frozenset[str]:
    return names | FOREIGN


@frozen
class Dialect:
    """One provider's way of speaking OpenAI. All rules that match a model apply, in order, then `fit`."""

    name: str
    rules: tuple[Rule, ...] = ()
    message_drops: frozenset[str] = field(default=FOREIGN, converter=_and_foreign)
    """As a rule's, for every model."""
    part_refuses: frozenset[str] = frozenset()
    """Types of content parts that are refused."""
    function_tools_only: bool = False
    stream_options: bool = True
    nulls: bool = True
    """Whether a null means "not given"; elsewhere they are left out."""
    fit: Callable[[Draft], None] | None = None
    has_text: bool = False
    has_embeddings: bool = False
    embeddings: Rule = Rule()
    embeds_tokens: bool = True


_REASONING = frozenset({"reasoning", "reasoning_content", "reasoning_details"})
_OPENAI_ONLY = (
    "logit_bias",
    "metadata",
    "moderation",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "store",
    "verbosity",
)
_MISTRAL_WORDS = MappingProxyType({"any": "required"})
_OPENAI_TIERS = MappingProxyType({"default": None, "scale": None, "priority": None, "fast": None, "flex": None})

# https://platform.openai.com/docs/api-reference/chat, https://platform.openai.com/docs/guides/reasoning
OPENAI = Dialect(
    "openai",
    rules=(
        Rule(values={"tool_choice": _MISTRAL_WORDS}),
        Rule(("gpt-[0-9]*", "chatgpt-*", "o[1-9]*"), message_drops=_REASONING | IMAGES),
        Rule(("o3*", "o4-mini*", "gpt-6*"), refuses=("stop",)),
    ),
    fit=fit_openai,
    has_text=True,
    has_embeddings=True,
)

# https://docs.mistral.ai/api/ (a field that is not in its ChatCompletionRequest is a 422)
MISTRAL = Dialect(
    "mistral",
    rules=(
        Rule(
            drops=("user", *(name for name in _OPENAI_ONLY if name != "metadata")),
            refuses=("audio", "modalities", "web_search_options", "functions", "function_call"),
            renames={"max_completion_tokens": "max_tokens", "seed": "random_seed"},
            values={
                "reasoning_effort": {
                    "minimal": "none",
                    "low": "high",
                    "medium": "high",
                    "xhigh": "high",
                    "max": "high",
                },
                "service_tier": _OPENAI_TIERS,
            },
        ),
    ),
    message_drops=IMAGES | {"refusal", "annotations", "audio", "function_call"},
    function_tools_only=True,
    stream_options=False,
    nulls=False,
    fit=fit_mistral,
    has_embeddings=True,
    embeddings=Rule(drops=("user",), renames={"dimensions": "output_dimension"}),
    embeds_tokens=False,
)

# https://console.groq.com/docs/openai, https://console.groq.com/docs/reasoning
GROQ = Dialect(
    "groq",
    rules=(
        Rule(
            drops=("prediction", "prompt_cache_key", *_OPENAI_ONLY),
            refuses=("n", "logprobs", "top_logprobs", "audio", "modalities", "web_search_options"),
            values={"service_tier": {**_OPENAI_TIERS, "flex": "flex"}, "tool_choice": _MISTRAL_WORDS},
        ),
        Rule(
            ("openai/gpt-oss-*",),
            values={"reasoning_effort": {"none": "low", "minimal": "low", "xhigh": "high", "max": "high"}},
        ),
        Rule(
            ("qwen/qwen3-*",),
            values={
                "reasoning_effort": dict.fromkeys(("minimal", "low", "medium", "high", "xhigh", "max"), "default"),
            },
        ),
        Rule(
            ("llama*", "meta-llama/*", "moonshotai/*", "gemma*", "allam*", "groq/*"),
            drops=("reasoning_effort",),
        ),
    ),
    message_drops=_REASONING | IMAGES | {"name", "refusal", "annotations", "audio"},
    part_refuses=frozenset({"input_audio", "file"}),
    function_tools_only=True,
    nulls=False,
)

# https://openrouter.ai/docs/api/reference/parameters (what a model cannot take, OpenRouter leaves out itself)
OPENROUTER = Dialect("openrouter", fit=fit_openrouter, has_text=True, has_embeddings=True)

# https://platform.moonshot.ai/docs/api/chat
MOONSHOT = Dialect(
    "moonshot",
    rules=(
        Rule(
            drops=("user", "seed", "service_tier", *(name for name in _OPENAI_ONLY if name != "safety_identifier")),
            refuses=("audio", "modalities", "web_search_options"),
            values={"tool_choice": _MISTRAL_WORDS},
        ),
        Rule(
            ("kimi-*",),
            drops=("temperature", "top_p", "presence_penalty", "frequency_penalty"),
            refuses=("n",),
        ),
        Rule(
            ("kimi-k3*",),
            values={"reasoning_effort": {"none": "low", "minimal": "low", "medium": "high", "xhigh": "max"}},
        ),
        Rule(("kimi-k2.7*", "kimi-k2", "kimi-k2-*", "moonshot-*"), drops=("reasoning_effort",)),
    ),
    message_drops=IMAGES,
    part_refuses=frozenset({"input_audio", "file"}),
    function_tools_only=True,
    nulls=False,
    fit=fit_moonshot,
)

# Built in: it takes everything.
ECHO = Dialect("echo", has_text=True, has_embeddings=True)
