"""`clawgw keys`: make a key for a caller, or list those that the configuration has."""

import argparse
import json
import re
import secrets
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from attrs import asdict

from clawgw.cli import configuration
from clawgw.config.callers import key_digest
from clawgw.config.tables.callers import Key

HELP = "Make a key for a caller, or list the keys there are."

_PREFIX = "clawgw-"
_BYTES = 32
"""256 bits: nobody guesses it, so a fast hash is enough to keep."""
_NAME = re.compile(r"[!-~]+")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands and their options."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    new = commands.add_parser("new", help=(said := "Print a new key, once, and what goes into gateway.toml."))
    new.description = said
    new.add_argument("name", metavar="NAME", type=_name, help="who the key is for; metrics and the log show it")
    new.add_argument("--model", metavar="GLOB", action="append", help="may use the models named like this (default: *)")
    new.add_argument("--label", metavar="NAME=VALUE", action="append", type=_label, help="for policies and the log")
    new.add_argument("--admin", action="store_true", help="may read the usage and requests of all keys, and /metrics")
    new.add_argument("--json", action="store_true", help="print a JSON object")
    new.set_defaults(keys_command=_new)
    listing = commands.add_parser("list", help=(said := "Print the keys of the configuration, without their hashes."))
    listing.description = said
    configuration.add_arguments(listing)
    listing.add_argument("--json", action="store_true", help="print a JSON array")
    listing.set_defaults(keys_command=_list)


def run(args: argparse.Namespace) -> int:
    """Run the subcommand."""
    args.keys_command(args)
    return 0


def _new(args: argparse.Namespace) -> None:
    key = _PREFIX + secrets.token_urlsafe(_BYTES)
    block = {
        "name": args.name,
        "sha256": key_digest(key).hex(),
        "models": args.model or ["*"],
        "admin": args.admin,
        "labels": dict(args.label or ()),
    }
    if args.json:
        print(json.dumps({"key": key, **block}))
        return
    print("The key, shown only now; clawgw keeps its hash:", file=sys.stderr)
    print(key)
    print("For gateway.toml:", file=sys.stderr)
    print("\n".join(toml_block(block)))


def toml_block(key: Mapping[str, Any]) -> Iterator[str]:
    """The `[[keys]]` block of a key, without what is the default."""
    yield "[[keys]]"
    for name in ("name", "sha256", "models"):
        yield f"{name} = {_toml(key[name])}"
    if key["admin"]:
        yield "admin = true"
    if key["labels"]:
        yield f"labels = {_toml(key['labels'])}"


def _toml(value: Any) -> str:
    """A text, a list or a table of texts; TOML's basic strings are JSON's, but for DEL."""
    match value:
        case dict():
            return "{ " + ", ".join(f"{_toml(name)} = {_toml(text)}" for name, text in value.items()) + " }"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:
            return orjson.dumps(value).decode().replace("\x7f", "\\u007f")


def _list(args: argparse.Namespace) -> None:
    keys = configuration.load(configuration.choice(args)).settings.keys
    if args.json:
        print(json.dumps([_as_json(key) for key in keys]))
    elif keys:
        width = max(len(key.name) for key in keys)
        print("\n".join(f"{key.name:{width}}  {', '.join(_details(key))}" for key in keys))
    else:
        print("there are no keys; `clawgw keys new NAME` makes one", file=sys.stderr)


def _as_json(key: Key) -> dict[str, Any]:
    facts = asdict(key)
    del facts["sha256"]
    return facts


def _details(key: Key) -> Iterator[str]:
    yield "models " + " ".join(key.models)
    if key.admin:
        yield "admin"
    yield from (f"{name}={value}" for name, value in key.labels.items())
    if key.limits is not None:
        limits = asdict(key.limits).items()
        yield from (f"{name} {limit}" for name, limit in limits if limit is not None)
    if key.budget is not None:
        yield f"{key.budget.usd:g} USD per {key.budget.per}"


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r}: visible ASCII characters without spaces")
    return text


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r}: NAME=VALUE")
    return name, value
