"""A provider that serves in business hours only: a machine in the office, a contract by the hour.

    [routes.assistant]
    targets = ["office/llama4", "openai/gpt-6-luna"]
    policy = "business_hours:route"
    options = { provider = "office", time_zone = "Europe/Berlin", opens = "08:00", closes = "18:00" }

Monday to Friday, from `opens` until just before `closes`, `time_zone` being a name of the IANA database. In these hours
the configured order holds. Outside them the provider's targets are left out, unless the route has no others.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from clawgw.policy import Plan, RequestFacts, TargetView, in_turn

SATURDAY = 5


def route(request: RequestFacts, targets: Sequence[TargetView], options: Mapping[str, Any]) -> Plan:
    """The configured order, outside business hours without `provider`."""
    local = datetime.fromtimestamp(request.now, ZoneInfo(options["time_zone"]))
    when = f"{local:%A %H:%M} in {options['time_zone']}"
    order = sorted(targets, key=lambda view: not view.available)
    others = [view for view in order if view.target.provider != options["provider"]]
    if _is_open(local, options["opens"], options["closes"]):
        return in_turn(order, f"open: {when}")
    return in_turn(others or order, f"closed: {when}")


def _is_open(local: datetime, opens: str, closes: str) -> bool:
    return local.weekday() < SATURDAY and time.fromisoformat(opens) <= local.time() < time.fromisoformat(closes)
