import pytest

from clawgw.config.snapshot import ReadyRoute
from clawgw.policy import Target
from clawgw.routing.catalogue import Catalogue
from clawgw.web.model_labels import model_labels
from tests.web.serving import provider, snapshot

CATALOGUE = Catalogue({"openai": {"gpt-4o": {}, "gpt-4o-mini": {"also": ["gpt-4o-tiny"]}}})


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Target("openai", "gpt-4o"), "gpt-4o"),
        (Target("openai", "gpt-4o-2024-08-06"), "gpt-4o"),
        (Target("openai", "gpt-4o-tiny"), "gpt-4o-mini"),
        (Target("openai", "gpt-5000"), "other"),
        (Target("openai", "mine"), "mine"),
        (Target("own", "known"), "known"),
        (Target("own", "gpt-4o"), "other"),
    ],
)
def test_labels_of_models(target: Target, expected: str) -> None:
    route = ReadyRoute("fast", [Target("openai", "mine")])
    labels = model_labels(snapshot(providers=[provider("openai"), provider("own")], routes=[route]), CATALOGUE)
    assert labels(target) == expected
