"""`python -m tests.recordings [PART-OF-A-TITLE…]`: replay, print the table, exit with 1 where too little passed."""

import sys

import trio

from tests.recordings.exchange import Exchange, NotReplayed, read_all
from tests.recordings.replay import replay_all
from tests.recordings.table import render, shortfalls
from tests.shared import SHARED


def main(parts: list[str]) -> int:
    found = read_all()
    if not found:
        sys.exit(f"no recorded exchanges at {SHARED}; set CLAWGW_SHARED to the folder that has them")
    chosen = [
        one for one in found if isinstance(one, Exchange) and (not parts or any(part in one.title for part in parts))
    ]
    results = trio.run(replay_all, chosen)
    print(render(results, [one for one in found if isinstance(one, NotReplayed)]))  # noqa: T201 - a command prints
    return int(any(result.wrong for result in results) if parts else any(shortfalls(results)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
