"""`clawgw serve`: run the gateway."""

import argparse
import logging
import sys
from collections.abc import Sequence

from clawgw.cli import configuration
from clawgw.serve.early import hold_signals

HELP = "Run the gateway."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    configuration.add_arguments(parser)
    parser.add_argument("--bind", metavar="HOST:PORT", help="listen here, and nowhere else")
    parser.add_argument("--workers", metavar="N", type=int, help="processes to serve with")
    parser.add_argument("--watch", action="store_true", help="reload whenever a file of the configuration changes")


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop; or be the process of the sinks, which needs no more than the log."""
    hold_signals()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("clawgw").setLevel(logging.INFO)
    from clawgw.serve.sinks import drain, is_sink_process  # noqa: PLC0415 - takes its time, and signals may come

    if is_sink_process():
        return drain(configuration.choice(args))
    from clawgw.serve.start import serve  # noqa: PLC0415 - a second that the process of the sinks does without

    return serve(configuration.choice(args), _command(args), watch=args.watch)


def _command(args: argparse.Namespace) -> Sequence[str]:
    """The command line that starts this process again, with all that its configuration depends on."""
    options = {"--config": args.config, "--env-file": args.env_file, "--bind": args.bind, "--workers": args.workers}
    given = [f"{name}={value}" for name, value in options.items() if value is not None]
    return [sys.executable, "-m", "clawgw", "serve", *given]
