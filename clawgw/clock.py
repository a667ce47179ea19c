"""The time of day, for what is kept or told. What waits goes by `trio.current_time`."""

import time


def now_ms() -> int:
    """Milliseconds since the epoch, as the machine's clock says: it may be set back."""
    return time.time_ns() // 1_000_000
