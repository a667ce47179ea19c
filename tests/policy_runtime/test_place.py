import pytest

from clawgw.policies.place import one_line, place_and_kind, whole_story
from tests.policy_runtime.sources import FACTS, VIEWS, package, policy, sources


def raised_by(body: str) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - whatever it is, it is looked at afterwards
        policy(body)(FACTS, VIEWS, {})
    return caught.value


def test_the_innermost_line_of_a_policy_is_named() -> None:
    error = raised_by("def inner():\n    return options['x']\nreturn inner()")
    assert place_and_kind(error) == "policies/mine.py:6: KeyError"
    assert whole_story(error) == "policies/mine.py:6: KeyError: 'x'"


def test_a_librarys_frames_above_a_policys_are_passed_over() -> None:
    error = raised_by("import json\nreturn json.loads(request.user)")
    assert place_and_kind(error) == "policies/mine.py:6: JSONDecodeError"


def test_nothing_of_the_exceptions_text_is_in_the_short_form() -> None:
    assert place_and_kind(raised_by("raise ValueError(request.user)")) == "policies/mine.py:5: ValueError"


def test_without_a_policys_frame_there_is_no_place() -> None:
    assert place_and_kind(KeyError("x")) == "KeyError"
    assert whole_story(KeyError()) == "KeyError"


def test_a_frame_without_a_name_is_passed_over() -> None:
    error = raised_by("exec('1 / 0', {})")
    assert place_and_kind(error) == "policies/mine.py:5: ZeroDivisionError"


def test_a_syntax_error_is_where_it_says() -> None:
    modules = sources(one="from . import two", two="x = 1\ny = (")
    with package(modules) as opened, pytest.raises(SyntaxError) as caught:
        opened.load("one")
    assert whole_story(caught.value) == "policies/two.py:2: SyntaxError: '(' was never closed"


def test_one_line_is_one_line_and_not_too_long() -> None:
    assert one_line("a\r\n b\t\x0bc") == "a b c"
    assert one_line("x" * 10_000) == "x" * 199 + "…"
    assert one_line("x" * 200) == "x" * 200
