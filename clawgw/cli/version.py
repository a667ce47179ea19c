"""`clawgw version`."""

import argparse
import json

from clawgw import __version__

HELP = "Print the version of clawgw."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def run(args: argparse.Namespace) -> int:
    """Print it."""
    print(json.dumps({"version": __version__}) if args.json else f"clawgw {__version__}")
    return 0
