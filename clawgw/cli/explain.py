"""`clawgw explain`: the plan that a request would get, and why. Nobody is called."""

import argparse
import json
import logging
import sys
import time

from clawgw.cli import configuration, explained, request_options
from clawgw.config.callers import Caller
from clawgw.config.mistakes import ConfigError, Mistake, did_you_mean
from clawgw.config.snapshot import Snapshot
from clawgw.engine.explanation import Explanation, explain
from clawgw.errors import GatewayError
from clawgw.policies.load import load_policies
from clawgw.policy import RequestFacts
from clawgw.routing.catalogue import bundled

HELP = "Print the plan that a request would get, and why, without calling anybody."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    configuration.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    request_options.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print the explanation. 1: a client would get an error, which is printed instead."""
    logging.getLogger("clawgw").addHandler(logging.NullHandler())  # the explanation says why a policy failed
    try:
        snapshot = configuration.load(configuration.choice(args))
        caller = _caller(args.key, snapshot)
        explanation = _explanation(request_options.facts(args, caller, time.time()), caller, snapshot)
    except ConfigError as error:
        if not args.json:
            raise
        print(json.dumps(configuration.mistakes_as_json(error)))
        return 2
    except GatewayError as error:
        _print_refusal(error, as_json=args.json)
        return 1
    if args.json:
        print(json.dumps(explained.as_json(explanation, snapshot)))
    else:
        print("\n".join(explained.lines(explanation, snapshot)))
    return 0


def _caller(name: str | None, snapshot: Snapshot) -> Caller:
    """The holder of a key, or of none. Raises ConfigError."""
    if name is None:
        return Caller()
    keys = {key.name: key for key in snapshot.settings.keys}
    if name not in keys:
        raise ConfigError([Mistake("--key", f"no key is named {name}{did_you_mean(name, keys)}")])
    return Caller.of(keys[name])


def _explanation(facts: RequestFacts, caller: Caller, snapshot: Snapshot) -> Explanation:
    """With the policies loaded for as long. Raises ConfigError and what a client would get."""
    policies = load_policies(snapshot)
    try:
        return explain(facts, caller, snapshot, bundled(), policies.functions)
    finally:
        policies.unload()


def _print_refusal(error: GatewayError, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"ok": False, "status": error.status, "code": error.code, "message": error.message}))
    else:
        print(error.message, file=sys.stderr)
