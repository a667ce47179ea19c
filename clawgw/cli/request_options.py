"""The options with which a command describes a request that is not there: facts for policies."""

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from clawgw.config.callers import Caller
from clawgw.policy import RequestFacts
from clawgw.routing.facts import is_told

_ENDPOINTS = ("chat.completions", "completions", "embeddings")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--model`, which is required, and one option for each other fact."""
    group = parser.add_argument_group("the request")
    group.add_argument("--model", metavar="NAME", required=True, help="the name that is asked for")
    group.add_argument("--key", metavar="NAME", help="the name of the caller's key, one of [[keys]]")
    for name, options in _OPTIONS.items():
        group.add_argument(f"--{name}", **options)


def facts(args: argparse.Namespace, caller: Caller, now: float) -> RequestFacts:
    """What the options say of a request of this caller. `now`: Unix seconds, where they do not say."""
    return RequestFacts(
        model=args.model,
        endpoint=args.endpoint,
        stream=args.stream,
        user=args.user,
        key=caller.name,
        labels={**caller.labels, **dict(args.label)},
        metadata=dict(args.metadata),
        headers=dict(args.header),
        tools=args.tools,
        images=args.images,
        estimated_tokens=args.tokens,
        max_tokens=args.max_tokens,
        now=now if args.at is None else args.at,
        random=args.random,
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text!r}: NAME=VALUE")
    return name, value


def _header(text: str) -> tuple[str, str]:
    name, value = _pair(text)
    if not is_told(name.lower()):
        raise argparse.ArgumentTypeError(f"{text!r}: policies are told of x-… headers and the user agent, without keys")
    return name.lower(), value


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number, 0 or more")
    return int(text)


def _time(text: str) -> float:
    """Unix seconds of an ISO 8601 time, in UTC unless it says else."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: a time such as 2026-11-23T09:30") from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _dice(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 1.0
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: a number from 0 up to, but not, 1")
    return number


_PAIRS = {"metavar": "NAME=VALUE", "action": "append", "default": []}
_NUMBER = {"metavar": "N", "type": _count}

_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "stream": {"action": "store_true", "help": "a stream is asked for"},
    "endpoint": {"choices": _ENDPOINTS, "default": _ENDPOINTS[0], "help": "where it is sent (default: %(default)s)"},
    "user": {"metavar": "USER", "help": "its `user`"},
    "metadata": {**_PAIRS, "type": _pair, "help": "of its `metadata`; may be repeated"},
    "header": {**_PAIRS, "type": _header, "help": "of its headers; may be repeated"},
    "label": {**_PAIRS, "type": _pair, "help": "of the key's labels, over those of --key; may be repeated"},
    "tokens": {**_NUMBER, "default": 0, "help": "the size of its prompt in tokens (default: 0)"},
    "max-tokens": {**_NUMBER, "help": "the longest answer it wants, in tokens"},
    "tools": {**_NUMBER, "default": 0, "help": "how many tools it offers (default: 0)"},
    "images": {**_NUMBER, "default": 0, "help": "how many images, files and sounds it holds (default: 0)"},
    "at": {"metavar": "TIME", "type": _time, "help": "when it comes: 2026-11-23T09:30, in UTC (default: now)"},
    "random": {"metavar": "X", "type": _dice, "default": 0.5, "help": "its dice, 0 ≤ X < 1 (default: 0.5)"},
}
