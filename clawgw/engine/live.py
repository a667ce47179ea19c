"""A configuration while it serves."""

from collections.abc import Callable, Mapping
from functools import lru_cache

from attrs import define, field

from clawgw.config.snapshot import Snapshot
from clawgw.engine.counting import TokenCounter
from clawgw.engine.planning import Planner
from clawgw.engine.provider import LiveProvider
from clawgw.engine.transcript import BodyKeeper
from clawgw.limits.limiter import Limiter
from clawgw.policy import Target
from clawgw.routing.budget import Budgets
from clawgw.routing.catalogue import Catalogue
from clawgw.routing.resolve import Resolved, resolve
from clawgw.wire.codec import WireTarget

REMEMBERED = 1024
"""Of things that are worked out again otherwise; a client may name any model."""


@define(eq=False)
class Live:
    """One version of the configuration with the state that serves it.

    A request keeps the one it began with, and is served `with` it. `close` ends what belongs to this version alone.
    It is called once: when another has taken the place of this one and the last request that began with it is over.
    """

    snapshot: Snapshot
    providers: Mapping[str, LiveProvider]
    catalogue: Catalogue
    planner: Planner
    budgets: Budgets
    close: Callable[[], None] = field(repr=False)
    limiter: Limiter = field(repr=False)
    tokens: TokenCounter = field(factory=TokenCounter, repr=False)
    bodies: BodyKeeper | None = field(default=None, repr=False)
    """None: what requests and answers say is not logged."""
    resolve: Callable[[str, str], Resolved] = field(init=False, repr=False)
    """`routing.resolve` of a model and an endpoint; remembered, as are the next."""
    wire_target: Callable[[Target], WireTarget] = field(init=False, repr=False)
    """A target as its codec knows it."""
    _requests: int = field(init=False, default=0)
    _retired: bool = field(init=False, default=False)

    @resolve.default
    def _resolving(self) -> Callable[[str, str], Resolved]:
        return lru_cache(REMEMBERED)(lambda model, endpoint: resolve(model, endpoint, self.snapshot, self.catalogue))

    @wire_target.default
    def _targeting(self) -> Callable[[Target], WireTarget]:
        return lru_cache(REMEMBERED)(self._wire_target)

    def __enter__(self) -> None:
        """A request is served under this version."""
        self._requests += 1

    def __exit__(self, *_: object) -> None:
        """It is over, and its answer sent: whoever got that may ask again at once, through another worker."""
        self.limiter.store.flush()
        self._requests -= 1
        if self._retired:
            self._close_if_over()

    def retire(self) -> None:
        """No request will begin with this version any more."""
        self._retired = True
        self._close_if_over()

    def _wire_target(self, target: Target) -> WireTarget:
        defaults = self.snapshot.settings.defaults
        return WireTarget(
            provider=target.provider,
            model=target.model,
            api_version=self.providers[target.provider].ready.api_version,
            default_temperature=defaults.temperature,
            default_max_tokens=defaults.max_tokens,
        )

    def _close_if_over(self) -> None:
        if not self._requests:
            self.close()
