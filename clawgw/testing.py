"""For tests of policies: made-up facts and views, the check that the gateway itself does, and a plan run in no time.

Targets are written as the configuration writes them, `provider/model`. Nothing here needs a network or an event loop;
any test runner will do.
"""

import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from clawgw.policy import Plan, RequestFacts, Target, TargetView
from clawgw.routing.plan import plan_problem

Policy = Callable[[RequestFacts, Sequence[TargetView], Mapping[str, Any]], Plan]


def facts(model: str = "a-model", **known: Any) -> RequestFacts:
    """The facts of a request: those given, the others as in a plain chat of nobody in particular."""
    return RequestFacts(model, **known)


def view(target: str, **known: Any) -> TargetView:
    """The view of a target `provider/model`: what is given, otherwise healthy, idle and never used before."""
    return TargetView(_target(target), **known)


def load_policy(path: str | Path, function: str = "route") -> Policy:
    """The function of a policy's file. Raises what importing the file raises, and AttributeError without it."""
    name = f"policy_{Path(path).stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path}: a policy is a Python file, NAME.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    policy: Policy = getattr(module, function)
    return policy


def check_plan(plan: object, targets: Sequence[TargetView]) -> None:
    """Fail with what the gateway would object to in a policy's plan for these targets."""
    problem = plan_problem(plan, [known.target for known in targets])
    if problem is not None:
        raise AssertionError(f"the gateway would not take this plan: {problem}")


def _target(text: str) -> Target:
    provider, _, model = text.partition("/")
    if not provider or not model:
        raise ValueError(f"a target is written provider/model, not {text!r}")
    return Target(provider, model)
