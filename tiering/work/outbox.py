"""Finished blocks on their way to the stream: published together, ten times a second.

A block that lasts longer than that in wall time (at 1x one of more than 100 simulated ms) is
published when it is due.
"""

import math
import time
from collections.abc import Callable

from tiering.stream.bus import Bus
from tiering.stream.codec import Block, encode

FLUSH_EVERY_S = 0.1


class Outbox:
    """Collects blocks of one attempt. clock: wall time in s."""

    def __init__(
        self, bus: Bus, run_id: str, attempt: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._bus, self._run_id, self._attempt, self._clock = bus, run_id, attempt, clock
        self._pending: list[tuple[int, bytes]] = []
        self._sim_ns = 0
        self._flushed_s = -math.inf

    def put(self, block: Block, sim_ns: int) -> None:
        """Take a block that ends at `sim_ns`; publishes if the last time was 100 ms ago."""
        self._pending.append((block.step, encode(block)))
        self._sim_ns = sim_ns
        if self.due_s() <= 0:
            self.flush()

    def due_s(self) -> float:
        """Wall seconds until `flush` should be called; infinite if there is nothing to publish."""
        if not self._pending:
            return math.inf
        return self._flushed_s + FLUSH_EVERY_S - self._clock()

    def flush(self) -> None:
        """Publish what is there; raises Fenced."""
        if not self._pending:
            return
        self._bus.append(self._run_id, self._attempt, self._pending)
        self._bus.update(self._run_id, self._attempt, {"sim_ns": str(self._sim_ns)})
        self._pending = []
        # The beat is kept however long publishing takes; what was missed is not made up for.
        now_s = self._clock()
        late_s = min(now_s - self._flushed_s - FLUSH_EVERY_S, FLUSH_EVERY_S / 2)
        self._flushed_s = now_s - max(late_s, 0.0)
