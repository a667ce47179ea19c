from clawgw.cli.table import aligned


def test_columns_stand_below_each_other() -> None:
    rows = [("a", "bb", "c"), ("aaa", "", "cc c"), ("", "b", "")]
    assert list(aligned(rows)) == ["a    bb  c", "aaa      cc c", "     b"]


def test_nothing_is_nothing() -> None:
    assert list(aligned([])) == []
