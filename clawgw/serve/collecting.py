"""The garbage collector of a process that serves.

What a configuration is made of lasts, and looking through it again and again is a twentieth of what a request costs. So
it is set aside, and what is left looked through less often: most of it is freed at once when a request ends.
"""

import gc

THRESHOLDS = 20_000, 20, 20
"""As `gc.set_threshold` takes them; Python's own are 700, 10 and 10."""


def set_aside() -> None:
    """What there is now is taken to last. Takes some tens of milliseconds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


def take_back() -> None:
    """What was set aside may be garbage: another version has taken its place."""
    gc.unfreeze()
