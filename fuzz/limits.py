"""The store of limits, fuzzed: any bytes are steps, and after each the store and the plain model say the same."""

from attrs import define, field

from clawgw.limits.bucket import Bucket, Kind, Spent, Window
from clawgw.limits.memory import MemoryStore
from tests.limits.claims import Claim
from tests.limits.direct import Directly
from tests.limits.machine import ALMOST_MARCH
from tests.limits.model import Model

STEP = 4
MAX_STEPS = 200
_KINDS: tuple[tuple[Kind, Window], ...] = (
    ("requests", "minute"),
    ("tokens", "minute"),
    ("concurrent", "minute"),
    ("usd", "hour"),
)


@define
class Pair:
    """A store and the model, side by side. Every step is three numbers up to 255."""

    now_ms: int = ALMOST_MARCH
    made: list[int] = field(factory=list)
    """Of each reservation, how many claims it has."""
    model: Model = field(factory=Model)
    store: Directly = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.store = Directly(MemoryStore(lambda: self.now_ms))

    def reserve(self, which: int, limit: int, amount: int) -> None:
        """Of the buckets whose bits are set in `which`."""
        claims = [
            Claim(_bucket(number, 1 + limit), min(amount, 1 + limit)) for number in range(4) if which & 1 << number
        ]
        name, expires_ms = str(len(self.made)), 1_000 * (1 + which)
        self.made.append(len(claims))
        expected = self.model.reserve(self.now_ms, name, claims, expires_ms)
        assert self.store.reserve(name, claims, expires_ms) == expected

    def settle(self, which: int, first: int, second: int) -> None:
        """One of those that were made, once or more often."""
        number = which % (len(self.made) or 1)
        used = [first, second, first * second, 0][: self.made[number] if self.made else 0]
        self.model.settle(self.now_ms, str(number), used)
        self.store.settle(str(number), used)

    def pass_time(self, scale: int, ms: int, back: int) -> None:
        """Up to a few minutes forward, and a little back."""
        self.now_ms += ms * (1, 100, 1_250)[scale % 3] - back

    def renew(self, *_: int) -> None:
        """All leases."""
        self.model.renew(self.now_ms)
        self.store.renew()

    def seed(self, amount: int, late: int, *_: int) -> None:
        """The budget, of this window or of the last one."""
        budget = _bucket(3, 1)
        began_ms = self.model.present(budget, self.now_ms).at_ms
        spent = Spent(amount, began_ms - 3_600_000 * (late % 2))
        self.model.seed(self.now_ms, budget, spent)
        self.store.seed(budget, spent)

    def compare(self) -> None:
        """Every bucket, as the largest limit sees it."""
        for number in range(len(_KINDS)):
            bucket = _bucket(number, 256)
            assert self.store.peek(bucket) == self.model.peek(self.now_ms, bucket)


_STEPS = (Pair.reserve, Pair.settle, Pair.pass_time, Pair.renew, Pair.seed)


def limits(data: bytes) -> None:
    """The same answers, whatever the steps."""
    pair = Pair()
    for at in range(0, min(len(data), STEP * MAX_STEPS) // STEP * STEP, STEP):
        step, *numbers = data[at : at + STEP]
        _STEPS[step % len(_STEPS)](pair, *numbers)
        pair.compare()
    pair.store.close()


def _bucket(number: int, limit: int) -> Bucket:
    kind, per = _KINDS[number]
    return Bucket("key", "k", kind, limit, per)
