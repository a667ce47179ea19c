from clawgw.config.mistakes import Mistake
from clawgw.config.overlay import Source, lay_over
from clawgw.config.tables.routes import Defaults


def test_right_values_win_and_wrong_ones_are_told() -> None:
    overlaid = lay_over(
        Defaults(temperature=0.5, max_tokens=7),
        {"temperature": Source("LLM_TEMPERATURE", 1), "max_tokens": Source("LLM_MAX_TOKENS", "x")},
    )
    assert overlaid.table == Defaults(temperature=1.0, max_tokens=7)
    assert overlaid.mistakes == [Mistake("LLM_MAX_TOKENS", "must be a whole number, not a string")]
