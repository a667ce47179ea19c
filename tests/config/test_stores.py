import pytest

from clawgw.config.snapshot import ReadyKafka, ReadyMongo, Secret
from tests.config.loading import mistakes, snapshot

URL = "mongodb://alice:s3cret@db.example:27017/?tls=true"
BROKERS = "a.example:9092,b.example:9092"


def test_a_store_without_an_address_is_not_used() -> None:
    loaded = snapshot()
    assert (loaded.mongo, loaded.kafka, loaded.warnings) == (None, None, ())


def test_a_variable_alone_is_enough() -> None:
    loaded = snapshot(environ={"MONGODB_URL": URL, "KAFKA_BROKERS": BROKERS})
    assert loaded.mongo == ReadyMongo(Secret(URL), "clawgw", "requests")
    assert loaded.kafka == ReadyKafka(Secret(BROKERS), "clawgw.requests")


def test_tables_say_where() -> None:
    loaded = snapshot(
        '[log.mongo]\nurl = "file:mongo.url"\ndatabase = "logs"\ncollection = "llm.requests"\n'
        '[log.kafka]\nbrokers = "a.example:9092"\ntopic = "requests"',
        files={"/etc/clawgw/mongo.url": URL.encode() + b"\n"},
    )
    assert loaded.mongo == ReadyMongo(Secret(URL), "logs", "llm.requests")
    assert loaded.kafka == ReadyKafka(Secret("a.example:9092"), "requests")


def test_a_table_whose_variable_is_not_set_is_worth_a_warning() -> None:
    loaded = snapshot('[log.mongo]\nurl = "env:LOG_URL"\n[log.kafka]')
    assert (loaded.mongo, loaded.kafka) == (None, None)
    assert "log.mongo.url: LOG_URL is not set, so no records go there" in loaded.warnings
    assert "log.kafka.brokers: KAFKA_BROKERS is not set, so no records go there" in loaded.warnings


@pytest.mark.parametrize(
    ("files", "mistake"),
    [
        ({}, "mongo.url cannot be read: No such file or directory"),
        (
            {"/etc/clawgw/mongo.url": b"mongodb://alice:s3 cret@db"},
            "mongo.url must hold one address: visible ASCII characters without spaces",
        ),
    ],
)
def test_a_file_without_an_address_is_a_mistake(files: dict[str, bytes], mistake: str) -> None:
    assert mistakes('[log.mongo]\nurl = "file:mongo.url"', files=files) == [f"log.mongo.url: {mistake}"]


def test_a_password_does_not_stand_in_the_file() -> None:
    assert mistakes(f'[log.mongo]\nurl = "{URL}"') == [
        "log.mongo.url: must be env:NAME, file:PATH or an address without a password"
    ]


def test_the_address_is_shown_nowhere() -> None:
    assert "s3cret" not in repr(snapshot(environ={"MONGODB_URL": URL}))


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("mongo.database", ("", "a.b", "a b", "a/b", "a\\\\b", "$a", "a*", "a" * 64)),
        ("mongo.collection", ("", "$cmd", "a$b", "system.users", ".a", "a.", "a..b", "a b")),
        ("kafka.topic", ("", "a/b", "a b", "a" * 250)),
    ],
)
def test_names_that_the_stores_do_not_take_are_mistakes(key: str, wrong: tuple[str, ...]) -> None:
    for name in wrong:
        (mistake,) = mistakes(f'[log]\n{key} = "{name}"')
        assert mistake.startswith(f"log.{key}: must be")


@pytest.mark.parametrize(
    ("key", "right"),
    [
        ("mongo.database", ("a", "team-a_1", "a" * 63)),
        ("mongo.collection", ("a", "a.b", "systems", "a:b/c")),
        ("kafka.topic", ("a", "A.b_c-1", "a" * 249)),
    ],
)
def test_names_that_they_take_are_none(key: str, right: tuple[str, ...]) -> None:
    for name in right:
        assert mistakes(f'[log]\n{key} = "{name}"') == []
