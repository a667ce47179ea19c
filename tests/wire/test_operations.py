import pytest

from clawgw.wire.codec import WireTarget
from clawgw.wire.formats import CODECS
from clawgw.wire.operations import missing_endpoint

TARGET = WireTarget("prov", "m")


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
