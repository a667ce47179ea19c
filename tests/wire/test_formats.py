from typing import get_args

from clawgw.config.tables.providers import WireName
from clawgw.wire.formats import CODECS


def test_every_wire_of_the_configuration_has_its_codec() -> None:
    assert set(CODECS) == set(get_args(WireName))
    assert all(codec.name == name for name, codec in CODECS.items())
