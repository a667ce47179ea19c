"""All policies of one configuration: tried, imported, and forgotten when no request needs them any more."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from attrs import frozen

from clawgw.config.mistakes import ConfigError, Mistake
from clawgw.config.policy_sources import PolicyName, named_policies
from clawgw.config.snapshot import Snapshot
from clawgw.policies.functions import PolicyFunction, UnusableError, import_function
from clawgw.policies.modules import PolicyPackage
from clawgw.policies.trial import try_import

_TRIALS_AT_ONCE = 4


@frozen
class LoadedPolicies:
    """The functions that the configuration names, by `module:function`."""

    functions: Mapping[str, PolicyFunction]
    _package: PolicyPackage

    def unload(self) -> None:
        """Remove the modules from `sys.modules`. For when the last request that began with them has ended."""
        self._package.close()


def load_policies(snapshot: Snapshot) -> LoadedPolicies:
    """Import every policy, each in a child process first. Raises ConfigError with all that is wrong.

    Blocks, for up to `trial.DEADLINE_S` for every four policies: a gateway that is serving calls this in a thread.
    """
    named = dict(named_policies(snapshot.settings))
    problems = _tried(snapshot, dict.fromkeys(named.values()))
    package = PolicyPackage(snapshot.version, snapshot.policies)
    functions = dict[str, PolicyFunction]()
    for policy, problem in problems.items():
        if problem is None:
            try:
                functions[policy.reference] = import_function(package, policy)
            except UnusableError as error:
                problems[policy] = str(error)
    mistakes = [Mistake(path, problem) for path, policy in named.items() if (problem := problems[policy])]
    if mistakes:
        package.close()
        raise ConfigError(mistakes)
    return LoadedPolicies(functions, package)


def _tried(snapshot: Snapshot, policies: Collection[PolicyName]) -> dict[PolicyName, str | None]:
    with ThreadPoolExecutor(_TRIALS_AT_ONCE) as threads:
        return dict(zip(policies, threads.map(partial(try_import, snapshot.policies), policies), strict=True))
