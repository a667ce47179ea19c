"""The store of limits that machines share: one script in Redis decides about each reservation.

Nobody waits for Redis longer than `PATIENCE_S`; whoever has waited in vain is answered by the store for that time. What
was asked and not heard of is taken back: a script that runs too late refuses itself, and what one has taken in time is
settled with nothing used.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import trio

from clawgw.limits.arithmetic import Level
from clawgw.limits.bucket import Bucket, Granted, Refused, Scope, Spent, Standing, Verdict, Wanted
from clawgw.limits.places import LEASE_MS
from clawgw.limits.redis import calls
from clawgw.limits.redis.asking import BUSY_S, Desk
from clawgw.limits.redis.away import WhenDown, while_away
from clawgw.limits.redis.breaker import Breaker
from clawgw.limits.redis.calls import Order
from clawgw.limits.redis.clock import RedisClock
from clawgw.limits.redis.keys import GATEWAYS, Rule, digest, record_of, rule, rules_of, spendings
from clawgw.limits.redis.leases import Leases
from clawgw.limits.redis.link import Answer, Link, Unanswered
from clawgw.limits.redis.outbox import KEPT, Outbox
from clawgw.limits.redis.scripts import Scripts
from clawgw.limits.redis.seen import Seen
from clawgw.limits.store import RENEW_MS, LimitStore

PATIENCE_S = 0.05
BEAT_S = 1.0
"""How often Redis hears of this gateway, and is tried while it is away."""
GATEWAY_MS = 10_000
"""A gateway that was not heard of for so long is gone."""
STOP_S = 1.0
LATE = -1
_IN_LEDGERS: frozenset[Scope] = frozenset({"key", "label", "route", "provider", "provider_key"})
"""What a quota is charged is in no record."""


class RedisStore:
    """A `LimitStore`; reservations may be settled by another one at the same Redis. It works while `run` does."""

    def __init__(  # noqa: PLR0913 - what it is made of, once, where everything is wired
        self,
        url: str,
        when_down: WhenDown,
        local: LimitStore,
        gateway: str,
        *,
        forgotten: Callable[[], None] = lambda: None,
        scripts: Scripts | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Connects later. Raises `BadRedisUrl`.

        `local` decides while Redis is away, if `when_down` says so; it is run with this store, and all that share it
        have one name, `gateway`. `forgotten` is told when Redis may know less than the ledger: where
        it knows nothing of a budget or of this gateway, and after it was away.
        """
        self._link = Link(url, patience_s)
        self._breaker = Breaker()
        self._desk = Desk(self._link, patience_s)
        self._outbox = Outbox(self._link, self._breaker)
        self._away = while_away(when_down, local, lambda: self._gateways)
        self._gateway, self._gateways = digest(gateway), 1
        self._forgotten = forgotten
        self._scripts = scripts or Scripts.read()
        self._patience_s = patience_s
        self._clock, self._seen, self._leases = RedisClock(), Seen(), Leases()
        self._heard_ms = 0
        """What many answers have said at once need be heard but once."""
        self._elsewhere: dict[str, float] = {}

    @property
    def degraded(self) -> str | None:
        """As `LimitStore.degraded`: why Redis is not asked at present."""
        return self._breaker.degraded

    @property
    def gateways(self) -> int:
        """How many there are, as far as is known."""
        return self._gateways

    async def reserve(self, wanted: Sequence[Wanted], expires_ms: int) -> Sequence[Verdict]:
        """As `LimitStore.reserve`."""
        now_s = trio.current_time()
        verdicts = await self._reserve(wanted, expires_ms, now_s) if self.degraded is None else None
        if verdicts is not None:
            return verdicts
        verdicts = await self._away.reserve(wanted, expires_ms)
        for verdict, (reservation, _) in zip(verdicts, wanted, strict=False):
            if isinstance(verdict, Granted):
                self._elsewhere[reservation] = now_s + expires_ms / 1000
        return verdicts

    def settle(self, reservation: str, used: Sequence[int]) -> None:
        """As `LimitStore.settle`."""
        if self._elsewhere.pop(reservation, None) is not None:
            self._away.settle(reservation, used)
        else:
            self._settle(record_of(reservation), used)

    def flush(self) -> None:
        """As `LimitStore.flush`."""
        self._link.flush()

    def peek(self, bucket: Bucket) -> Standing | None:
        """As `LimitStore.peek`: as Redis last said, and as if nobody had used it since."""
        if self.degraded is not None:
            return self._away.peek(bucket)
        return self._seen.standing(bucket, self._clock.ms(trio.current_time()))

    def seed(self, bucket: Bucket, spent: Spent) -> None:
        """As `LimitStore.seed`. Where Redis is away it is not told later: it will be asked for again."""
        self._away.seed(bucket, spent)
        if self.degraded is None:
            said = spendings(bucket, spent.since_ms)
            self._outbox.tell(self._scripts.seed, [rule(bucket).key, said], calls.seed(bucket, said, spent))

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """As `LimitStore.run`; ready when Redis was tried for the first time. What is to be told is told at the end."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._link.run)
                nursery.start_soon(self._away.run)
                await nursery.start(self._desk.run)
                nursery.start_soon(self._renew)
                await self.beat()
                task_status.started()
                await self._beat()
        finally:
            with trio.move_on_after(STOP_S, shield=True):
                self._outbox.resend(KEPT)
                self._breaker.degraded = "Stopped"
                await self._link.finish()
            self._outbox.close()

    async def beat(self) -> None:
        """One turn of `run`: say that this gateway lives, and see whether Redis does."""
        was_away = self.degraded is not None
        answer = await self._desk.ask(self._scripts.beat, [GATEWAYS], calls.beat(self._gateway, GATEWAY_MS))
        if (heard := self._heard(answer)) is not None:
            self._gateways, _, joined, _ = heard
            self._outbox.resend()
            if joined or was_away:
                self._forgotten()

    def renew(self) -> None:
        """One turn of `run`: hold the places for another lease, and forget what has expired."""
        now_s = trio.current_time()
        self._elsewhere = {name: until_s for name, until_s in self._elsewhere.items() if now_s < until_s}
        for places in self._leases.renewals(self._clock.ms(now_s)):
            self._outbox.tell(self._scripts.renew, [key for key, _ in places], calls.renew(places))

    async def _beat(self) -> None:
        while True:
            await trio.sleep(BEAT_S)
            await self.beat()

    async def _renew(self) -> None:
        while True:
            await trio.sleep(self._scripts.lease_ms * RENEW_MS / LEASE_MS / 1000)
            self.renew()

    async def _reserve(self, wanted: Sequence[Wanted], expires_ms: int, now_s: float) -> Sequence[Verdict] | None:
        """As Redis decides; None: it has not done so in time."""
        orders = [_order(one) for one in wanted]
        keys = [key for order in orders for key in order.rules.keys]
        call = calls.reserve(orders, self._clock.ms(now_s + self._patience_s + BUSY_S), expires_ms)
        answer = await self._desk.ask(self._scripts.reserve, keys, call, lambda: self._take_back(orders))
        if (heard := self._heard(answer)) is None:
            return None
        granted, now_ms, absent, levels = heard
        self._seen.note(keys, levels)
        for (_, claims), (record, rules, _) in zip(wanted[:granted], orders, strict=False):
            if rules.with_places:
                self._leases.hold(record, claims, now_ms + expires_ms)
        if absent:
            buckets = [bucket for _, claims in wanted for bucket in claims.buckets]
            self._miss([bucket for index, bucket in enumerate(buckets) if absent >> index & 1])
        return _verdicts(orders, granted, levels, now_ms)

    def _miss(self, budgets: Sequence[Bucket]) -> None:
        if any(budget.scope in _IN_LEDGERS for budget in budgets):
            self._forgotten()

    def _heard(self, answer: Answer) -> tuple[int, int, int, Sequence[Level]] | None:
        """As `calls.answered`; None: that is no answer."""
        if isinstance(answer, Unanswered):
            self._breaker.failed(answer.reason)
            return None
        heard = calls.answered(answer)
        decision, now_ms, *_ = heard
        if now_ms != self._heard_ms or decision == LATE:
            self._heard_ms = now_ms
            self._clock.heard(now_ms, trio.current_time())
        if decision == LATE:
            self._breaker.failed("Late")
            return None
        self._breaker.answered()
        return heard

    def _take_back(self, orders: Iterable[Order]) -> None:
        for order in orders:
            self._settle(order.record, ())

    def _settle(self, record: bytes, used: Sequence[int]) -> None:
        self._leases.release(record)
        self._outbox.tell(self._scripts.settle, [record], calls.settle(record, used))


def _order(wanted: Wanted) -> Order:
    reservation, (buckets, amounts) = wanted
    return Order(record_of(reservation), rules_of(buckets), amounts)


def _verdicts(orders: Sequence[Order], granted: int, levels: Sequence[Level], now_ms: int) -> Sequence[Verdict]:
    """Of those that were granted, and of the one after them."""
    told = iter(levels)
    verdicts: list[Verdict] = [
        Granted(_standings(rules.each, told, now_ms, [0] * len(amounts))) for _, rules, amounts in orders[:granted]
    ]
    for _, rules, amounts in orders[granted : granted + 1]:
        verdicts.append(Refused(_standings(rules.each, told, now_ms, amounts)))
    return verdicts


def _standings(
    rules: Iterable[Rule], levels: Iterator[Level], now_ms: int, asked: Iterable[int]
) -> tuple[Standing, ...]:
    """The next of the levels are those of the rules' buckets."""
    standings = []
    for known, amount in zip(rules, asked, strict=True):
        gauge = known.gauge
        gauge.used, gauge.at_ms = next(levels)
        standings.append(gauge.standing(now_ms, amount))
    return tuple(standings)
