from clawgw.config.snapshot import Secret
from tests.config.loading import snapshot


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret("sk-secret")
    assert secret.reveal() == "sk-secret"
    assert f"{secret} {secret!r}" == "Secret(…) Secret(…)"


def test_secrets_are_equal_by_value_and_to_nothing_else() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_all_secrets_of_a_configuration() -> None:
    text = """
        [providers.openai]
        api_keys = ["env:ONE", "file:two"]
        [limits]
        store = "redis"
    """
    environ = {
        "ONE": "key-one",
        "GROQ_API_KEY": "key-three",
        "REDIS_URL": "redis://:hunter%212@cache.example:6379/0",
        "MONGODB_URL": "mongodb://me:s3cret@a.example,b.example:27017/?replicaSet=r",
        "KAFKA_BROKERS": "kafka.example:9092",
    }
    loaded = snapshot(text, environ, files={"/etc/clawgw/two": b"key-two\n"})
    assert {*loaded.secrets()} == {"key-one", "key-two", "key-three", "hunter%212", "hunter!2", "s3cret"}


def test_an_address_without_a_password_is_no_secret() -> None:
    environ = {"MONGODB_URL": "mongodb://me@db.example:27017/a:b@c", "OPENAI_API_KEY": "key"}
    assert [*snapshot("", environ).secrets()] == ["key"]
