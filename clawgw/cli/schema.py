"""`clawgw schema`: the JSON Schema of `gateway.toml`, for editors."""

import argparse
import json

from clawgw.config.schema import json_schema

HELP = "Print the JSON Schema of gateway.toml, for editors."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--json`, as everywhere."""
    parser.add_argument("--json", action="store_true", help="print a JSON object, which is what it always does")


def run(_args: argparse.Namespace) -> int:
    """Print it."""
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return 0
