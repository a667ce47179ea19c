import pytest

from tests.config.loading import snapshot

ROUTE = '[routes.fast]\ntargets = ["echo/a", "echo/b"]\n'
POLICY = {"/etc/clawgw/policies/mine.py": b""}
KEY = f'[[keys]]\nname = "a"\nsha256 = "{"0" * 64}"\n'


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        ("weights = [3, 1]", ['routes.fast.weights: has no effect without strategy = "weighted"']),
        ('hedge_after = "p95"', ['routes.fast.hedge_after: has no effect without strategy = "hedge"']),
        ("options = { a = 1 }", ["routes.fast.options: has no effect without a policy"]),
        (
            'strategy = "weighted"\nweights = [3, 1]\npolicy = "mine:route"',
            ['routes.fast.weights: has no effect without strategy = "weighted"'],
        ),
        ("[policies]\noptions = { a = 1 }", ["policies.options: has no effect without policies.quota"]),
        (
            "[auth]\nrequired = true",
            ["auth.required: there are no [[keys]], so nobody is let in; `clawgw keys new NAME` makes one"],
        ),
    ],
)
def test_a_key_that_wants_another_is_a_warning(text: str, warnings: list[str]) -> None:
    assert list(snapshot(ROUTE + text, files=POLICY).warnings) == warnings


@pytest.mark.parametrize(
    "text",
    [
        'strategy = "weighted"\nweights = [3, 1]',
        'strategy = "hedge"\nhedge_after = 1',
        'policy = "mine:route"\noptions = { a = 1 }',
        '[policies]\nquota = ["mine:quota"]\noptions = { a = 1 }',
        "[auth]\nrequired = true\n" + KEY,
        "[auth]\nrequired = false",
    ],
)
def test_one_that_has_it_is_none(text: str) -> None:
    assert snapshot(ROUTE + text, files=POLICY).warnings == ()
