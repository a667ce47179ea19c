import pytest

from clawgw.ledger.question import END_OF_TIME_MS, USUAL_GROUPS, BadQuestion, Grouping, Question, question


def test_nothing_asked_is_everything_as_one() -> None:
    assert question([], {}) == Question((), 0, END_OF_TIME_MS, None, USUAL_GROUPS)


def test_groupings_come_with_commas_or_one_by_one_each_once() -> None:
    asked = question(["key, day", "label:team", "day", "metadata:a:b"], {})
    assert [str(grouping) for grouping in asked.groupings] == ["key", "day", "label:team", "metadata:a:b"]
    assert asked.groupings[2:] == (Grouping("labels", "team"), Grouping("metadata", "a:b"))


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-11-23", 1_795_392_000_000),
        ("2026-11-23T14:00:00Z", 1_795_442_400_000),
        ("2026-11-23T14:00:00", 1_795_442_400_000),
        ("2026-11-23T14:00:00.250+01:00", 1_795_438_800_250),
        ("2026-11-23T14:00:00.250 01:00", 1_795_438_800_250),
        ("2026-11-23 14:00", 1_795_442_400_000),
        ("1795392000", 1_795_392_000_000),
        ("1969-01-01", 0),
        ("9999-12-31T23:59:59", END_OF_TIME_MS - 1000),
    ],
)
def test_times(text: str, ms: int) -> None:
    assert question([], {"from": text}).from_ms == ms


def test_key_and_limit() -> None:
    assert question(["key"], {"key": "a'b", "to": "2026-01-02", "limit": "3"}) == Question(
        (Grouping("key"),), 0, 1_767_312_000_000, "a'b", 3
    )


@pytest.mark.parametrize(
    ("group_by", "single", "param", "says"),
    [
        (["modle"], {}, "group_by", "did you mean model?"),
        (["label:"], {}, "group_by", "label:NAME"),
        (["team:x"], {}, "group_by", "metadata:NAME"),
        ([""], {}, "group_by", "is none of"),
        (["labels"], {}, "group_by", "is none of"),
        (["request_id); DROP TABLE requests; --"], {}, "group_by", "is none of"),
        (["key,model,provider,route,day,hour"], {}, "group_by", "at most 5"),
        ([], {"from": "yesterday"}, "from", "2026-11-23T14:00:00Z"),
        ([], {"to": "99999999999999"}, "to", "is no time"),
        ([], {"to": "999999999999"}, "to", "is no time"),
        ([], {"from": "٣"}, "from", "is no time"),
        ([], {"from": "2026-11-23", "to": "2026-11-23"}, "to", "later"),
        ([], {"limit": "0"}, "limit", "1 to 10000"),
        ([], {"limit": "1e3"}, "limit", "1 to 10000"),
        ([], {"limit": "10001"}, "limit", "1 to 10000"),
    ],
)
def test_what_makes_no_sense_is_said(group_by: list[str], single: dict[str, str], param: str, says: str) -> None:
    with pytest.raises(BadQuestion) as caught:
        question(group_by, single)
    assert caught.value.param == param
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("grouping", "value", "shown"),
    [
        ("day", 20_780, "2026-11-23"),
        ("hour", 20_780 * 24 + 5, "2026-11-23T05:00:00Z"),
        ("key", "alice", "alice"),
        ("user", "", None),
        ("label:team", "search", "search"),
    ],
)
def test_values_are_shown(grouping: str, value: object, shown: str | None) -> None:
    assert Grouping.of(grouping).shown(value) == shown
