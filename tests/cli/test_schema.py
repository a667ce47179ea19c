import json

import pytest

from clawgw.cli import main
from clawgw.config.schema import json_schema
from tests.docs.markdown import ROOT


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_it_prints_the_schema(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", *arguments]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed) == json_schema()
    assert printed == (ROOT / "docs" / "gateway.schema.json").read_text(), "run `just schema`"
