"""kmigrated: the thread of a lower-tier node that promotes what is ready (docs/model.md#kmigrated).

It walks, asks the gate, and migrates each batch inline before it walks on.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import Memory
from tiering.engine.movers import Movers
from tiering.hotness.pghot import PghotRecords
from tiering.hotness.pghot_record import GRANULE_AT, SECTION_GRANULES, SLOT_AT
from tiering.migration.kmigrated import Kmigrated
from tiering.migration.queue import MigrationQueue
from tiering.promotion.table import Promotion
from tiering.simulation.judge import Judge
from tiering.simulation.progress import Progress
from tiering.simulation.threads import NS_PER_MS, KernelThread


class KmigratedThread(KernelThread):
    """Asleep until `due`, or walking, where `cursor` is."""

    def __init__(
        self,
        nr: int,
        nid: int,
        knobs: Kmigrated,
        records: PghotRecords,
        promotion: Promotion,
        queue: MigrationQueue,
        all_movers: Movers,
    ) -> None:
        super().__init__(nr, True, 0, all_movers)
        self.nid, self.knobs = nid, knobs
        self._records, self._promotion, self._queue = records, promotion, queue
        self._memory: Memory = queue.memory
        self.due = knobs.kmigrated_sleep_ms * NS_PER_MS
        self.cursor: NDArray[np.int64] | None = None
        self._collected = 0

    def run(self, until: int, progress: Progress, judge: Judge, alone: bool) -> int:  # noqa: ARG002
        """Work until the clock passes `until` or a batch is to be migrated; when that was found,
        ns, or -1."""
        slow = self._dilation(progress)
        while self.clock < until:
            if self.cursor is None:
                if not self._sleep(until):
                    continue
                self.cursor = self._records.begin(self.nid)
            begin = self.clock
            found = self._walk(self.cursor, until, slow)
            self._account(self.clock - begin)
            if found:
                self._migrate()
                return self.clock
        return -1

    def rest(self, until: int) -> None:
        """Sleep on."""
        if self.cursor is None and self.clock < self.due:
            self.clock = min(self.due, max(until, self.clock))

    def retune(self, name: str, value: Any) -> None:
        """Apply a live knob; a sleep that has begun is as long as it was."""
        self.knobs = self.knobs._replace(**{name: value})

    def _sleep(self, until: int) -> bool:
        """Sleep on; whether something to do was found at the end of the sleep."""
        if self.clock < self.due:
            self.clock = min(self.due, until)
            return False
        if self._records.wakes(self.nid, self.clock):
            return True
        self.due = self.clock + self.knobs.kmigrated_sleep_ms * NS_PER_MS
        return False

    def _walk(self, cursor: NDArray[np.int64], until: int, slow: float) -> bool:
        """Walk on; whether a batch is complete: it is full, or its section ends."""
        most = self.knobs.kmigrated_batch_nr + 1
        hot, self.clock = self._records.due(
            self.nid, cursor, self.clock, until, self.knobs.record_ns * slow,
            most - self._collected,
        )  # fmt: skip
        if hot.folios.folios.size:
            chosen = self._promotion.choose(hot.folios, hot.latency_ms, self.clock, hot.heat)
            if chosen.folios.size:
                self._queue.add(chosen)
                self._collected += chosen.folios.size
        ended = bool(cursor[GRANULE_AT] >= self._memory.nr.size)
        if ended:
            self.cursor = None  # and before it sleeps again it looks whether more is ready
        border = cursor[GRANULE_AT] % SECTION_GRANULES == 0 and cursor[SLOT_AT] == 0
        complete = self._collected > 0 and (ended or border or self._collected >= most)
        if complete:
            self._collected = 0
        return complete
