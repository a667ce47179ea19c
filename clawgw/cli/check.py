"""`clawgw check`: the configuration is read and checked as `serve` would, and what came of it is printed."""

import argparse
import json
from collections.abc import Iterator
from typing import Any

from clawgw.cli import configuration
from clawgw.config.mistakes import ConfigError
from clawgw.config.snapshot import ReadyProvider, Snapshot
from clawgw.policies.load import load_policies
from clawgw.serve.checking import check_stores

HELP = "Check the configuration without starting; with --live, try every key as well."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    configuration.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    parser.add_argument(
        "--live",
        action="store_true",
        help="also send one tiny request with every key of every provider (with --json: print only what came of these)",
    )


def run(args: argparse.Namespace) -> int:
    """Print what was loaded, or every mistake."""
    try:
        snapshot = configuration.load(configuration.choice(args))
        load_policies(snapshot).unload()
        check_stores(snapshot)
    except ConfigError as error:
        if not args.json:
            raise
        print(json.dumps(configuration.mistakes_as_json(error)))
        return 2
    if not args.json:
        print("\n".join(report(snapshot)))
    elif not args.live:
        print(json.dumps(as_json(snapshot)))
    return _run_live(snapshot, as_json=args.json) if args.live else 0


def report(snapshot: Snapshot) -> Iterator[str]:
    """The lines for people."""
    yield "providers"
    width = max(map(len, snapshot.providers))
    for name, provider in snapshot.providers.items():
        yield f"  {name:{width}}  {_state(provider)}"
    if snapshot.routes:
        yield "routes"
    for name, route in snapshot.routes.items():
        yield f"  {name}: {', '.join(map(str, route.targets))}"
    if snapshot.settings.policies.quota:
        yield f"quota policies: {', '.join(snapshot.settings.policies.quota)}"
    yield f"default provider: {snapshot.settings.defaults.provider or 'none'}"
    if snapshot.warnings:
        yield "warnings"
    yield from (f"  {warning}" for warning in snapshot.warnings)
    yield f"config {snapshot.version} is good"


def as_json(snapshot: Snapshot) -> dict[str, Any]:
    """The same for programs."""
    return {
        "ok": True,
        "config": snapshot.version,
        "default_provider": snapshot.settings.defaults.provider,
        "providers": [
            {
                "name": provider.name,
                "wire": provider.wire,
                "base_url": provider.base_url,
                "keys": len(provider.keys),
                "ready": provider.not_ready is None,
                "reason": provider.not_ready,
            }
            for provider in snapshot.providers.values()
        ],
        "routes": [
            {"name": name, "targets": [str(target) for target in route.targets]}
            for name, route in snapshot.routes.items()
        ],
        "quota_policies": list(snapshot.settings.policies.quota),
        "warnings": list(snapshot.warnings),
    }


def _state(provider: ReadyProvider) -> str:
    if provider.not_ready:
        return provider.not_ready
    pool = f", {len(provider.keys)} keys" if len(provider.keys) > 1 else ""
    return f"ready{f' at {provider.base_url}' if provider.base_url else ''}{pool}"


def _run_live(snapshot: Snapshot, *, as_json: bool) -> int:
    from clawgw.cli.live import run_live  # noqa: PLC0415 - brings the whole engine, which a plain check does without

    return run_live(snapshot, as_json)
