"""The stores beside the embedded ones: their addresses, which may hold passwords.

One that records go to is in use as soon as its address is known, as a provider is with its key: where the default's
variable is set, its table need not be written.
"""

from attrs import define, field

from clawgw.config.mistakes import Mistake
from clawgw.config.settings import Settings
from clawgw.config.snapshot import ReadyKafka, ReadyMongo, Secret
from clawgw.config.sources import Sources, UnreadableError
from clawgw.config.tables.log import Kafka, Mongo

REDIS_SCHEMES = ("redis://", "rediss://", "unix://")


@define
class StoreResolver:
    """Makes ready stores, and gathers what is wrong with them and what is worth a warning."""

    sources: Sources
    mistakes: list[Mistake] = field(factory=list, init=False)
    warnings: list[str] = field(factory=list, init=False)

    def redis(self, settings: Settings) -> Secret | None:
        """Where limits or the cache are; None: neither is in a Redis."""
        if "redis" not in (settings.limits.store, settings.cache.store):
            return None
        path, said = "limits.redis_url", len(self.mistakes)
        url = self._address(path, settings.limits.redis_url, is_written=False)
        if url is None and len(self.mistakes) == said:
            variable = settings.limits.redis_url.removeprefix("env:")
            self.mistakes.append(Mistake(path, f"the variable {variable} is not set"))
        elif url is not None and not url.reveal().startswith(REDIS_SCHEMES):
            self.mistakes.append(Mistake(path, f"must be a URL that begins with {', '.join(REDIS_SCHEMES)}"))
        return url

    def mongo(self, table: Mongo | None) -> ReadyMongo | None:
        """`[log.mongo]`; None: its address is not set."""
        wanted = table or Mongo()
        url = self._address("log.mongo.url", wanted.url, is_written=table is not None)
        return None if url is None else ReadyMongo(url, wanted.database, wanted.collection)

    def kafka(self, table: Kafka | None) -> ReadyKafka | None:
        """`[log.kafka]`, likewise."""
        wanted = table or Kafka()
        brokers = self._address("log.kafka.brokers", wanted.brokers, is_written=table is not None)
        return None if brokers is None else ReadyKafka(brokers, wanted.topic)

    def _address(self, path: str, text: str, *, is_written: bool) -> Secret | None:
        try:
            address = self.sources.address(text)
        except UnreadableError as error:
            self.mistakes.append(Mistake(path, str(error)))
            return None
        if address is None and is_written:
            self.warnings.append(f"{path}: {text.removeprefix('env:')} is not set, so no records go there")
        return address
