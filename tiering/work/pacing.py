"""Speed: simulated time against wall time. A wait between blocks, never part of the result."""

import math
import time
from collections.abc import Callable

SLOWEST, FASTEST = 0.01, 100_000.0
MAX_SPEED = 0.0
"""The speed that means: as fast as it goes."""
NS_PER_S = 1_000_000_000


class SpeedError(ValueError):
    """One sentence naming the value and what is allowed."""


def parse_speed(value: object) -> float:
    """Simulated seconds per wall second, 0 = as fast as it goes; raises SpeedError."""
    try:
        speed = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        speed = math.nan
    if speed == MAX_SPEED or SLOWEST <= speed <= FASTEST:
        return speed
    raise SpeedError(
        f"speed = {value!r}: allowed is 0 (as fast as it goes) or {SLOWEST} .. {FASTEST:.0f}"
    )


class Pace:
    """Tells how long to wait until a simulated time is due.

    speed: simulated seconds per wall second, 0 = as fast as it goes. clock: wall time in s.
    """

    def __init__(self, speed: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.speed = speed
        self._clock = clock
        self._from_ns = 0
        self._from_s = clock()

    def rebase(self, sim_ns: int, speed: float | None = None) -> None:
        """Begin anew at `sim_ns` and now: after a change of speed and after a pause."""
        self.speed = self.speed if speed is None else speed
        self._from_ns = sim_ns
        self._from_s = self._clock()

    def wait_s(self, sim_ns: int) -> float:
        """Wall seconds until `sim_ns` is due; 0 if it is."""
        if self.speed == MAX_SPEED:
            return 0.0
        due_s = self._from_s + (sim_ns - self._from_ns) / NS_PER_S / self.speed
        return max(due_s - self._clock(), 0.0)
