"""The `clawgw` command. One module per command, imported when it is asked for.

A command module has `HELP` (one line), `add_arguments(parser)` and `run(args) -> int`, the exit code: 0 done, 2 bad
configuration or usage, 1 anything else. A `ConfigError` from `run` is printed here.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Protocol, TextIO, cast

from clawgw import __version__
from clawgw.config.mistakes import ConfigError

COMMANDS: Mapping[str, str] = {
    "serve": "clawgw.cli.serve",
    "check": "clawgw.cli.check",
    "explain": "clawgw.cli.explain",
    "schema": "clawgw.cli.schema",
    "keys": "clawgw.cli.keys",
    "usage": "clawgw.cli.usage",
    "reload": "clawgw.cli.reload",
    "version": "clawgw.cli.version",
}
"""Each command's module, in the order in which help lists them."""


class Command(Protocol):
    """What a command's module offers."""

    HELP: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Bad usage raises SystemExit(2), as argparse does."""
    _print_what_can_be_printed()
    try:
        return _run(sys.argv[1:] if argv is None else list(argv))
    except ConfigError as error:
        for mistake in error.mistakes:
            print(mistake, file=sys.stderr)
        return 2
    except (KeyboardInterrupt, BrokenPipeError):
        return 1
    finally:
        _flush(sys.stdout)
        _flush(sys.stderr)


def _run(arguments: Sequence[str]) -> int:
    known = [name for name in arguments[:1] if name in COMMANDS]
    args = build_parser(known or COMMANDS).parse_args(arguments)
    return cast("Command", args.command).run(args)


def _flush(stream: TextIO) -> None:
    """What is left goes nowhere where whoever reads has seen enough; Python would complain in the end."""
    try:
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _print_what_can_be_printed() -> None:
    """A letter that standard output does not have comes out as `?`, where Python would rather print nothing."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def build_parser(names: Iterable[str]) -> argparse.ArgumentParser:
    """A parser for these commands; the modules of the others are not imported."""
    parser = argparse.ArgumentParser(
        prog="clawgw",
        description="The OpenClaw Gateway: one OpenAI-compatible door to many LLM providers.",
        epilog="`clawgw COMMAND --help` explains a command. Exit codes: 0 done, 2 bad configuration or usage, 1 else.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"clawgw {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in names:
        command = cast("Command", import_module(COMMANDS[name]))
        subparser = commands.add_parser(name, help=command.HELP, description=command.HELP, allow_abbrev=False)
        command.add_arguments(subparser)
        subparser.set_defaults(command=command)
    return parser
