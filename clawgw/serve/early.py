"""Signals that come while the gateway starts, before it has loaded what it takes to obey them.

SIGTERM and SIGINT end the process at once: nobody is served yet. SIGHUP waits: what has changed may have been read
before.
"""

import os
import signal

_WAITING = (signal.SIGHUP,)


def hold_signals() -> None:
    """From now on, until they are obeyed."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    signal.pthread_sigmask(signal.SIG_BLOCK, _WAITING)


def release_signals() -> None:
    """Let those come that have waited. Whoever calls this obeys them."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WAITING)
