"""All budgets of a configuration. Pure."""

from collections.abc import Iterator, Sequence
from itertools import chain

from clawgw.config.callers import Caller
from clawgw.config.known import canonical
from clawgw.config.snapshot import Snapshot
from clawgw.limits.bucket import Bucket
from clawgw.limits.levels import caller_buckets, pool_key_buckets, provider_buckets, route_buckets


def budgets(snapshot: Snapshot) -> Sequence[Bucket]:
    """Those of keys, labels, routes, providers and the keys of their pools, each once.

    What a quota policy charges is known only when there is a request.
    """
    settings = snapshot.settings
    callers = (caller_buckets(Caller.of(key), settings) for key in settings.keys)
    routes = (route_buckets(name, settings) for name in settings.routes)
    found = chain(*callers, *routes, _providers(snapshot))
    return tuple(dict.fromkeys(bucket for bucket in found if bucket.kind == "usd"))


def _providers(snapshot: Snapshot) -> Iterator[Bucket]:
    for named, rules in snapshot.settings.providers.items():
        name = canonical(named)
        yield from provider_buckets(name, rules)
        for key in snapshot.providers[name].keys:
            yield from pool_key_buckets(name, rules, key.fingerprint)
