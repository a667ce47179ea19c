"""The options with which a command chooses its configuration, and the one place where files of it are read."""

import argparse
import os
from pathlib import Path
from typing import Any

from clawgw.config.files import Choice, load_chosen
from clawgw.config.load import Overrides
from clawgw.config.mistakes import ConfigError
from clawgw.config.snapshot import Snapshot


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--config` and `--env-file`."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="the configuration (default: CLAWGW_CONFIG, else gateway.toml here if there is one, else no file)",
    )
    parser.add_argument(
        "--env-file",
        metavar="FILE",
        help="NAME=VALUE lines; the process's own environment wins over them",
    )


def choice(args: argparse.Namespace) -> Choice:
    """What was chosen; a command without `--bind` or `--workers` overrides nothing."""
    overrides = Overrides(bind=getattr(args, "bind", None), workers=getattr(args, "workers", None))
    return Choice(config=args.config, env_file=args.env_file, overrides=overrides)


def mistakes_as_json(error: ConfigError) -> dict[str, Any]:
    """What a command with `--json` prints of a configuration that cannot be used."""
    return {"ok": False, "mistakes": [{"path": m.path, "message": m.message} for m in error.mistakes]}


def load(chosen: Choice) -> Snapshot:
    """Read and check it. Raises ConfigError."""
    return load_chosen(chosen, os.environ, Path.read_bytes)
