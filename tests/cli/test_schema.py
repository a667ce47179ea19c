import json

import pytest

from clawgw.cli import main
from clawgw.config.schema import json_schema
from tests.docs.markdown import ROOT


def test_it_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed) == json_schema()
    assert printed == (ROOT / "docs" / "gateway.schema.json").read_text(), "run `just schema`"
