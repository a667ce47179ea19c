"""The providers that need no more than a key, and what is filled in for them. One row each; echo is the last.

Base URLs and key headers are from the vendors' API references; the default models are small, current and cheap, so
that `LLM_FALLBACK_PROVIDERS` works from the environment alone.
"""

from collections.abc import Mapping

from attrs import frozen

from clawgw.config.tables.providers import WireName


@frozen
class Known:
    """What a known provider has unless the file says otherwise. Of `key_variables` the first that is set counts."""

    wire: WireName
    base_url: str
    key_variables: tuple[str, ...]
    default_model: str
    url_variables: tuple[str, ...] = ()


KNOWN: Mapping[str, Known] = {
    "openai": Known("openai", "https://api.openai.com/v1", ("OPENAI_API_KEY",), "gpt-6-luna"),
    "anthropic": Known("anthropic", "https://api.anthropic.com/v1", ("ANTHROPIC_API_KEY",), "claude-haiku-5-5"),
    "google": Known(
        "gemini",
        "https://generativelanguage.googleapis.com/v1beta",
        ("GOOGLE_AI_API_KEY", "GEMINI_API_KEY"),
        "gemini-3.8-flash",
        ("CLAWGW_GEMINI_BASE_URL",),
    ),
    "mistral": Known("mistral", "https://api.mistral.ai/v1", ("MISTRAL_API_KEY",), "mistral-small-latest"),
    "groq": Known("groq", "https://api.groq.com/openai/v1", ("GROQ_API_KEY",), "openai/gpt-oss-120b"),
    "openrouter": Known("openrouter", "https://openrouter.ai/api/v1", ("OPENROUTER_API_KEY",), "openai/gpt-6-luna"),
    "moonshot": Known(
        "moonshot", "https://api.moonshot.ai/v1", ("MOONSHOT_API_KEY",), "kimi-k2.6", ("MOONSHOT_BASE_URL",)
    ),
    "echo": Known("echo", "", (), "echo"),
}

ALIASES: Mapping[str, str] = {"gemini": "google"}

API_VERSIONS: Mapping[WireName, str] = {"anthropic": "2023-06-01"}
"""What each wire format's version header says unless `api_version` is given (docs.claude.com, "Versions")."""


def canonical(name: str) -> str:
    """The one name of a provider that has several."""
    return ALIASES.get(name, name)
