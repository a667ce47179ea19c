import attrs
import pytest

from clawgw.config.snapshot import ReadyRoute
from clawgw.config.tables.providers import Price
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
        (Target("own", "with/price"), "with/price"),
    ],
)
def test_labels_of_models(target: Target, expected: str) -> None:
    route = ReadyRoute("fast", [Target("openai", "mine")])
    plain = snapshot(providers=[provider("openai"), provider("own")], routes=[route])
    settings = attrs.evolve(plain.settings, prices={"own/with/price": Price(input=1, output=2)})
    labels = model_labels(attrs.evolve(plain, settings=settings), CATALOGUE)
    assert labels(target) == expected
