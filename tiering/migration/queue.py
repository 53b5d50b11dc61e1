"""The migration queue: bounded or not, drained by the scanner or by a thread of its own.

One engine for all migrations (docs/model.md#migration): a batch of n folios takes
a + n (b + s / c). Whose clock pays is a setting: kmmscand V0 migrates its whole list inline after
each visit, so the next scan is late; V1 hands the list to a thread. Not modelled: pinned and shared
folios, watermarks (a target is full when nothing is free).
"""

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import FOLIO_BYTES, Memory
from tiering.engine.migrate import MOVED, NO_ROOM, STALE, drain
from tiering.model.knobs import Knob

_ZEN3 = "move_pages of 1 GB on Zen 3 (v6.16-rc6): b + s/c = 1.1 us for 4 KiB"


class Migration(NamedTuple):
    """Knobs of migration."""

    owner: Annotated[
        Literal["scanner", "thread"],
        Knob(
            "",
            None,
            None,
            "Whose clock pays: the scanner inline (V0) or a thread (V1).",
            "RFC V0, V1",
        ),
    ] = "scanner"
    target_node: Annotated[
        int, Knob("", 0, 15, "Top-tier node that candidates go to.", "RFC V0: target_node")
    ] = 0
    queue_max: Annotated[
        int, Knob("folios", 0, 2**31, "Longest queue; 0 = no bound, as posted.", "RFC V0")
    ] = 0
    thread_sleep_ms: Annotated[
        int,
        Knob(
            "ms", 1, 10_000, "Sleep of the migration thread between drains.", "RFC V1: 20 ms twice"
        ),
    ] = 40
    batch_nr: Annotated[
        int, Knob("folios", 1, 512, "Folios a batch; V0 migrates one at a time.", "RFC V0")
    ] = 1
    batch_us: Annotated[
        float,
        Knob("us", 0, 10_000, "a: cost of a batch, its TLB shootdown included.",
             "2.5 us solo less b + s/c, and 4 us for the shootdown; not calibrated"),
    ] = 5.4  # fmt: skip
    folio_us: Annotated[float, Knob("us", 0, 10_000, "b: cost of one folio.", _ZEN3)] = 0.71
    copy_gb_s: Annotated[float, Knob("GB/s", 0.01, 1000, "c: copy rate of one CPU.", _ZEN3)] = 10.6


class MigrationQueue:
    """Candidates in the order of their arrival, and the counters of what became of them."""

    def __init__(self, knobs: Migration, memory: Memory, nr_nodes: int) -> None:
        self.knobs = knobs
        self.memory = memory
        self.outcome = np.zeros(3, np.int64)
        self.from_nid = np.zeros(nr_nodes, np.int64)
        self.candidates = 0
        self.dropped = 0
        self._queue: NDArray[np.uint32] = np.zeros(1024, np.uint32)
        self._head = self._tail = 0

    def __len__(self) -> int:
        return self._tail - self._head

    @property
    def counters(self) -> dict[str, int]:
        """Counters by metric name."""
        return {
            "pgpromote_success": int(self.outcome[MOVED]),
            "pgpromote_candidate": self.candidates,
            "migrate_stale": int(self.outcome[STALE]),
            "migrate_no_room": int(self.outcome[NO_ROOM]),
            "pgmigrate_fail": int(self.outcome[STALE] + self.outcome[NO_ROOM]),
            "queue_dropped": self.dropped,
        }

    @property
    def moves(self) -> bool:
        """True if draining now would move folios: some wait, and the target has room."""
        return len(self) > 0 and bool(self.memory.free[self.knobs.target_node] > 0)

    def take_moved(self) -> NDArray[np.int64] | None:
        """i64[N] folios taken from each node since the last call, None if none were."""
        if not self.from_nid.any():
            return None
        moved = self.from_nid.copy()
        self.from_nid[:] = 0
        return moved

    def add(self, folios: NDArray[np.uint32]) -> None:
        """Queue candidates (u32 folio indices); what exceeds queue_max is dropped and counted."""
        room = self.knobs.queue_max - len(self) if self.knobs.queue_max else folios.size
        taken = folios[: max(room, 0)]
        self.candidates += folios.size
        self.dropped += folios.size - taken.size
        if self._tail + taken.size > self._queue.size:
            self._make_room(taken.size)
        self._queue[self._tail : self._tail + taken.size] = taken
        self._tail += taken.size

    def _make_room(self, more: int) -> None:
        waiting = self._queue[self._head : self._tail].copy()
        if waiting.size + more > self._queue.size:
            self._queue = np.zeros(2 * (waiting.size + more), np.uint32)
        self._queue[: waiting.size] = waiting
        self._head, self._tail = 0, waiting.size

    def drain(self, clock: int, until: int, copy_gb_s: float) -> int:
        """Migrate until the queue is empty or the clock (ns) passes `until`; returns the clock.

        copy_gb_s: what the bandwidth of the two nodes leaves for copies.
        """
        knobs = self.knobs
        copy_ns = FOLIO_BYTES / min(knobs.copy_gb_s, copy_gb_s)
        cost = (knobs.batch_us * 1e3, knobs.folio_us * 1e3, copy_ns)
        self._head, clock = drain(
            self.memory, self._queue, self._head, self._tail, clock, until,
            knobs.target_node, knobs.batch_nr, cost, self.outcome, self.from_nid,
        )  # fmt: skip
        return int(clock)

    def retune(self, name: str, value: Any) -> None:
        """Apply a live knob."""
        self.knobs = self.knobs._replace(**{name: value})
