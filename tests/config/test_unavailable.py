import pytest

from tests.config.loading import snapshot

ROUTE = '[routes."gpt-6*"]\ntargets = ["echo/echo"]\n'
HASH = "0" * 64


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('[providers.openai]\napi = "responses"', "providers.openai.api"),
        ("[websocket]\nping_s = 5", "websocket"),
    ],
)
def test_what_guards_nothing_is_a_warning(text: str, path: str) -> None:
    assert snapshot(text, files={"/etc/clawgw/policies/cost_aware.py": b""}).warnings == (
        f"{path}: has no effect in this version",
    )


@pytest.mark.parametrize(
    "text",
    [
        '[auth]\nrequired = false\n[metrics]\nbind = "127.0.0.1:9090"',
        f'[[keys]]\nname = "a"\nsha256 = "{HASH}"\nmodels = ["m"]\nadmin = true\nlimits = {{ concurrent = 5 }}',
        '[providers.openai]\napi = "chat"',
        ROUTE + 'strategy = "failover"\nmax_attempts = 2\nfailover_after_s = 1\ndeadline_s = 9',
        "[retry]\nbase_s = 0.1\ncap_s = 1",
        "[server]\nworkers = 2\n[defaults]\ntemperature = 1",
        "[log]\nbodies = true",
    ],
)
def test_what_acts_is_neither(text: str) -> None:
    assert snapshot(text).warnings == ()
