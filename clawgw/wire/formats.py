"""The table of wire formats: a name in the configuration, and the codec that speaks it."""

from collections.abc import Mapping
from types import MappingProxyType

from clawgw.wire.anthropic.codec import AnthropicCodec
from clawgw.wire.codec import Codec
from clawgw.wire.gemini.codec import GeminiCodec
from clawgw.wire.openai.codec import OpenAICodec
from clawgw.wire.openai.dialects import ECHO, GROQ, MISTRAL, MOONSHOT, OPENAI, OPENROUTER

_CODECS: tuple[Codec, ...] = (
    *(OpenAICodec(dialect) for dialect in (OPENAI, MISTRAL, GROQ, OPENROUTER, MOONSHOT, ECHO)),
    AnthropicCodec(),
    GeminiCodec(),
)

CODECS: Mapping[str, Codec] = MappingProxyType({codec.name: codec for codec in _CODECS})
"""By `config.tables.providers.WireName`."""
