"""`clawgw usage`: what the log holds, summed: a table with bars, JSON or CSV. The gateway may run meanwhile."""

import argparse
import csv
import json
import os
import re
import shutil
import sys
import time
from pathlib import Path
from typing import Any, Final

from clawgw.cli import configuration, usage_table
from clawgw.config.files import log_of
from clawgw.config.mistakes import ConfigError, Mistake
from clawgw.ledger.question import BadQuestion, Question, question
from clawgw.ledger.reading import TooSlow, Unreadable, usage

HELP = "Print requests, tokens, USD, errors and times from the log, by key, model, day and more."

_LIMIT_S: Final = 60.0
_LAST = re.compile(r"([0-9]{1,6})([mhdw])")
_SECONDS: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_OPTIONS: Final = {"group_by": "--by"}
"""Where an option is not called like its parameter of `GET /v1/usage`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    configuration.add_arguments(parser)
    parser.add_argument(
        "--by",
        metavar="WHAT",
        action="append",
        help="key, model, provider, route, day, hour, user, label:NAME or metadata:NAME; several with commas"
        " (default: model)",
    )
    moment = "a date or a time (ISO 8601, UTC), or seconds since 1970"
    since = parser.add_mutually_exclusive_group()
    since.add_argument("--from", metavar="TIME", dest="from_", help=f"{moment}; this and later")
    since.add_argument("--last", metavar="SPAN", type=_span_s, help="30m, 12h, 7d or 4w back from now")
    parser.add_argument("--to", metavar="TIME", help=f"{moment}; earlier than this")
    parser.add_argument("--key", metavar="NAME", help="only what this key was used for")
    parser.add_argument("--limit", metavar="N", help="at most so many groups; the others are summed with the total")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print a JSON object")
    shape.add_argument("--csv", action="store_true", help="print comma-separated values, with a line of names first")


def run(args: argparse.Namespace) -> int:
    """Print it. 1: the log cannot be read, or not in a minute."""
    path = log_of(configuration.choice(args), os.environ, Path.read_bytes)
    asked = _question(args)
    try:
        answer = usage(path, asked, _LIMIT_S).as_json()
    except Unreadable as error:
        print(error, file=sys.stderr)
        return 1
    except TooSlow:
        print(f"this takes more than {_LIMIT_S:g} s: ask for less time", file=sys.stderr)
        return 1
    if not path.exists():
        print(f"there is no log yet at {path}", file=sys.stderr)
    _print(answer, args)
    return 0


def _question(args: argparse.Namespace) -> Question:
    """Raises ConfigError."""
    single = {"from": args.from_, "to": args.to, "key": args.key, "limit": args.limit}
    if args.last is not None:
        single["from"] = str(int(time.time()) - args.last)
    try:
        return question(args.by or ["model"], {name: text for name, text in single.items() if text is not None})
    except BadQuestion as error:
        option = _OPTIONS.get(error.param, f"--{error.param}")
        raise ConfigError([Mistake(option, str(error))]) from None


def _print(answer: dict[str, Any], args: argparse.Namespace) -> None:
    if args.json:
        print(json.dumps(answer))
    elif args.csv:
        _print_csv(answer)
    else:
        fancy = sys.stdout.isatty() and "utf" in (sys.stdout.encoding or "").lower()
        print("\n".join(usage_table.lines(answer, shutil.get_terminal_size().columns, fancy=fancy)))


def _print_csv(answer: dict[str, Any]) -> None:
    names = [*answer["group_by"], *answer["total"]]
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(answer["data"])


def _span_s(text: str) -> int:
    found = _LAST.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r}: 30m, 12h, 7d or 4w")
    return int(found[1]) * _SECONDS[found[2]]
