"""`clawgw schema`: the JSON Schema of `gateway.toml`, for editors."""

import argparse
import json

from clawgw.config.schema import json_schema

HELP = "Print the JSON Schema of gateway.toml, for editors."


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(_args: argparse.Namespace) -> int:
    """Print it."""
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return 0
