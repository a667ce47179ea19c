import pytest

from clawgw.policies.functions import UnusableError, import_function
from tests.policy_runtime.sources import FACTS, MINE, QUOTA, VIEWS, package, sources


def problem(text: str) -> str:
    with package(sources(mine=text)) as opened, pytest.raises(UnusableError) as caught:
        import_function(opened, MINE)
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "def route(request, targets, options): return 7",
        "def route(*args): return 7",
        "def route(request, targets, options, more=1): return 7",
        "class Route:\n    def __call__(self, r, t, o): return 7\nroute = Route()",
        "from functools import partial\nroute = partial(lambda n, r, t, o: n, 7)",
    ],
)
def test_what_takes_three_arguments_is_a_policy(text: str) -> None:
    with package(sources(mine=text)) as opened:
        assert import_function(opened, MINE)(FACTS, VIEWS, {}) == 7


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "route is not there"),
        ("route = 5", "route must be a function, not int"),
        ("async def route(r, t, o): ...", "route must be a plain function, not a coroutine"),
        ("async def route(r, t, o): yield", "route must be a plain function, not an asynchronous generator"),
        ("def route(r, t, o): yield", "route must be a plain function, not a generator"),
        ("def route(r, t): ...", "route must take three arguments: request, targets, options"),
        ("def route(r, t, o, p): ...", "route must take three arguments: request, targets, options"),
        ("def route(r, t, *, options): ...", "route must take three arguments: request, targets, options"),
    ],
)
def test_what_is_none_is_said(text: str, expected: str) -> None:
    assert problem(text) == f"policies/mine.py: {expected}"


def test_a_quota_takes_two_arguments() -> None:
    with package(sources(mine="def quota(request, options): return [7]")) as opened:
        assert import_function(opened, QUOTA)(FACTS, {}) == [7]
    with (
        package(sources(mine="def quota(request, targets, options): return []")) as opened,
        pytest.raises(UnusableError, match=r"^policies/mine.py: quota must take two arguments: request, options$"),
    ):
        import_function(opened, QUOTA)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\nimport nothing_of_this_name", "2: ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("x", "1: NameError: name 'x' is not defined"),
        ("def route(:", "1: SyntaxError: invalid syntax"),
        ("return 5", "1: SyntaxError: 'return' outside function"),
        ("raise SystemExit", "1: SystemExit"),
        ("raise KeyboardInterrupt", "1: KeyboardInterrupt"),
        ("raise ValueError('a\\nb')", "1: ValueError: a b"),
    ],
)
def test_what_a_module_raises_is_one_line(text: str, expected: str) -> None:
    assert problem(text) == f"policies/mine.py:{expected}"
