"""What a policy has returned: a plan, or charges, or why it is neither. Looking at it may run the policy's own code.

The numbers of a charge have the bounds of the same keys in `gateway.toml`.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, get_args

from attrs import asdict, fields, fields_dict, frozen

from clawgw.config.values import Dollars, PerMinute, Places
from clawgw.policy import Charge, Plan, Target
from clawgw.routing.plan import plan_problem

MOST_CHARGES = 16
LONGEST_BUCKET = 1024
"""Room for a `user` or a value of `metadata` (512 characters): a long name must not escape its quota."""
_NUMBERS: Mapping[str, Any] = {
    "requests_per_minute": PerMinute,
    "tokens_per_minute": PerMinute,
    "concurrent": Places,
    "budget_usd": Dollars,
    "requests": PerMinute,
}
_WINDOWS = get_args(fields(Charge).per.type)


@frozen
class Rubbish:
    """Nothing that the gateway could work with; `problem` says why."""

    problem: str


def plan_of(returned: object, targets: Sequence[Target]) -> Plan | Rubbish:
    """A plan for these targets."""
    problem = plan_problem(returned, targets)
    if problem is not None or not isinstance(returned, Plan):
        return Rubbish(str(problem))
    return returned


def charges_of(returned: object) -> Sequence[Charge] | Rubbish:
    """The charges of one request."""
    if not isinstance(returned, Sequence):
        return Rubbish(f"returned {type(returned).__name__}, not a sequence of Charge")
    charges = tuple(islice(returned, MOST_CHARGES + 1))
    problem = next(_problems(charges), None)
    return charges if problem is None else Rubbish(problem)


def _problems(charges: Sequence[object]) -> Iterator[str]:
    if len(charges) > MOST_CHARGES:
        yield f"returned more than {MOST_CHARGES} charges"
    for index, charge in enumerate(charges):
        if type(charge) is not Charge:  # a subclass could say something else each time
            yield f"charges[{index}]: must be a Charge, not {type(charge).__name__}"
        else:
            yield from (f"charges[{index}].{problem}" for problem in _problems_of_one(charge))


def _problems_of_one(charge: Charge) -> Iterator[str]:
    values = asdict(charge, recurse=False)
    if not isinstance(values["bucket"], str) or not 0 < len(values["bucket"]) <= LONGEST_BUCKET:
        yield f"bucket: must be a name of 1 to {LONGEST_BUCKET} characters"
    if values["per"] not in _WINDOWS:
        yield f"per: must be one of {', '.join(_WINDOWS)}"
    for name, rule in _NUMBERS.items():
        may_be_none = fields_dict(Charge)[name].default is None
        if not (may_be_none and values[name] is None) and not _fits(values[name], rule):
            yield f"{name}: must be {_in_words(rule)}{', or None' if may_be_none else ''}"


def _fits(value: object, rule: Any) -> bool:
    kind, bounds = get_args(rule)
    is_number = isinstance(value, (int, kind)) and not isinstance(value, bool)
    return is_number and bool(bounds.least <= value <= bounds.most)


def _in_words(rule: Any) -> str:
    kind, bounds = get_args(rule)
    return f"a {'whole ' if kind is int else ''}number from {bounds.least} to {bounds.most}"
