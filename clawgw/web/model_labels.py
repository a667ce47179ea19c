"""How a model is named in a label of a metric: clients cannot make up labels. Pure."""

from collections.abc import Container

from attrs import frozen

from clawgw.config.references import parse_target
from clawgw.config.snapshot import Snapshot
from clawgw.policy import Target
from clawgw.routing.catalogue import Catalogue

OTHER = "other"


@frozen
class ModelLabels:
    """A model's name as it may stand in a label: one of the configuration's, or the catalogue's name for it."""

    configured: Container[Target]
    catalogue: Catalogue

    def __call__(self, target: Target) -> str:
        """The label for a target's model."""
        if target in self.configured:
            return target.model
        facts = self.catalogue.entry(target.provider, target.model)
        return OTHER if facts is None else facts.id


def model_labels(snapshot: Snapshot, catalogue: Catalogue) -> ModelLabels:
    """The labels for one configuration."""
    configured = {target for route in snapshot.routes.values() for target in route.targets}
    defaults = {Target(each.name, each.default_model) for each in snapshot.providers.values() if each.default_model}
    priced = {target for target in map(parse_target, snapshot.settings.prices) if target}
    return ModelLabels(configured | defaults | priced, catalogue)
