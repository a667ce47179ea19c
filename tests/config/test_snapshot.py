from clawgw.config.snapshot import Secret


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret("sk-secret")
    assert secret.reveal() == "sk-secret"
    assert f"{secret} {secret!r}" == "Secret(…) Secret(…)"


def test_secrets_are_equal_by_value_and_to_nothing_else() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
