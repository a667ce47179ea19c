"""Stores in memory as the machine drives them: nothing that they do waits."""

from collections.abc import Sequence

from attrs import frozen

from clawgw.limits.bucket import Bucket, Granted, Spent, Standing, Verdict, Wanted
from clawgw.limits.memory import MemoryStore
from clawgw.limits.shared import SharedStore
from tests.limits.claims import Claim, together


@frozen
class Directly:
    store: MemoryStore | SharedStore

    def reserve(self, reservation: str, claims: Sequence[Claim], expires_ms: int = 600_000) -> Verdict:
        [verdict] = self.reserve_each([Wanted(reservation, together(claims))], expires_ms)
        return verdict

    def reserve_each(self, wanted: Sequence[Wanted], expires_ms: int) -> Sequence[Verdict]:
        try:
            self.store.reserve(wanted, expires_ms).send(None)
        except StopIteration as returned:
            verdicts: Sequence[Verdict] = returned.value
            return verdicts
        raise AssertionError("a store in memory waits for nothing")

    def passes(self, reservation: str, *claims: Claim) -> bool:
        return isinstance(self.reserve(reservation, claims), Granted)

    def settle(self, reservation: str, used: Sequence[int]) -> None:
        self.store.settle(reservation, used)

    def peek(self, bucket: Bucket) -> Standing | None:
        return self.store.peek(bucket)

    def seed(self, bucket: Bucket, spent: Spent) -> None:
        self.store.seed(bucket, spent)

    def renew(self) -> None:
        self.store.renew()

    def close(self) -> None:
        self.store.close()
