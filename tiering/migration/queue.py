"""The migration queue: bounded or not, drained by the scanner or by a thread of its own.

One engine for all migrations (docs/model.md#migration): a batch of n folios takes
a + n (b + s / c). Whose clock pays is a setting: kmmscand V0 migrates its whole list inline after
each visit, so the next scan is late; V1 hands the list to a thread, and kscand keeps a list for
every mm (lists.py).
"""

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.books import (
    CAPPED,
    COLD,
    IS_PINNED,
    IS_SHARED,
    LIMITED,
    NO_ROOM,
    OVER_SHARE,
    REFUSED,
    STALE,
    Books,
    Terms,
    books,
)
from tiering.engine.chunks import END, FIRST, GRANULE_OF, WAITING, Chunks
from tiering.engine.folios import Memory
from tiering.engine.reports import Reports
from tiering.engine.shares import Shares, neutral_shares
from tiering.engine.still_hot import IS_ACTIVE, NOT_ASKED, NOT_IDLE
from tiering.migration.lists import Lists
from tiering.model.knobs import Knob

PAGES_PER_MIB = 256
_ZEN3 = "move_pages of 1 GB on Zen 3 (v6.16-rc6): b + s/c = 1.1 us for 4 KiB"


class Migration(NamedTuple):
    """Knobs of migration."""

    owner: Annotated[
        Literal["scanner", "thread"],
        Knob(
            "",
            None,
            None,
            "Whose clock pays: who found it, inline (the scanner of V0, a faulting task), or a "
            "thread (V1).",
            "RFC V0, V1",
        ),
    ] = "scanner"
    target_node: Annotated[
        int,
        Knob(
            "",
            0,
            15,
            "Top-tier node that candidates go to, unless the source chooses one.",
            "RFC V0: target_node",
        ),
    ] = 0
    lists: Annotated[
        Literal["one", "first_mm", "round_robin"],
        Knob(
            "",
            None,
            None,
            "One list of candidates for all mms (V0, V1), or one for each: as posted the thread "
            "stays with the first mm until that exits (V2, V3); else it drains one list after the "
            "other and sleeps in between.",
            "RFC V2, V3: kmigrated",
        ),
    ] = "one"
    still_hot: Annotated[
        Literal["not_asked", "active", "not_idle"],
        Knob(
            "",
            None,
            None,
            "What a candidate must be when its turn comes: active or of the two youngest "
            "generations (V2), not idle and young or referenced (V3).",
            "RFC V2, V3: is_hot_page",
        ),
    ] = "not_asked"
    queue_max: Annotated[
        int, Knob("folios", 0, 2**31, "Longest queue; 0 = no bound, as posted.", "RFC V0")
    ] = 0
    thread_sleep_ms: Annotated[
        int,
        Knob(
            "ms", 1, 10_000, "Sleep of the migration thread between drains.", "RFC V1: 20 ms twice"
        ),
    ] = 40
    reserve: Annotated[
        Literal["none", "min", "high"],
        Knob(
            "",
            None,
            None,
            "Watermark that must stay free on the target: V0 only meets the allocator's min, V1 "
            "tests high.",
            "RFC V0, V1: migrate_balanced_pgdat",
        ),
    ] = "min"
    refuse_shared: Annotated[
        bool,
        Knob("", None, None, "Leave folios that several mms map (V1 and later).", "RFC V1"),
    ] = False
    rate_limit_mib_s: Annotated[
        int,
        Knob(
            "MiB/s",
            0,
            1_048_576,
            "Most that is promoted in a second; what exceeds it fails. 0 = no limit, as posted.",
            "as numa_balancing_promote_rate_limit_MBps",
            live=True,
        ),
    ] = 0
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


_NEUTRAL = neutral_shares(0)
_ASKED = {"not_asked": NOT_ASKED, "active": IS_ACTIVE, "not_idle": NOT_IDLE}


class MigrationQueue:
    """Candidates in the order of their arrival, and the books of what became of them."""

    def __init__(
        self, knobs: Migration, memory: Memory, reserve: NDArray[np.int64], nr_processes: int,
        shares: Shares = _NEUTRAL,
    ) -> None:  # fmt: skip
        """reserve: i64[N] pages that must stay free on each node."""
        self.knobs, self.memory = knobs, memory
        self._reserve = reserve
        self.books: Books = books(reserve.size, nr_processes, shares)
        self.books.target[:] = knobs.target_node
        self.books.reserve[:] = reserve
        self.terms: Terms = self._terms()
        self.candidates = 0
        self.dropped = 0
        self.lists = Lists(knobs.lists if knobs.owner == "thread" else "one", memory.mm)

    def __len__(self) -> int:
        return len(self.lists)

    @property
    def chunks(self) -> Chunks:
        """The list that is being drained."""
        return self.lists.chunks

    @property
    def counters(self) -> dict[str, int]:
        """Counters by metric name."""
        outcome = self.books.outcome
        failed = {
            "migrate_stale": int(outcome[STALE]),
            "migrate_no_room": int(outcome[NO_ROOM]),
            "migrate_pinned": int(outcome[IS_PINNED]),
            "migrate_shared": int(outcome[IS_SHARED]),
            "migrate_limited": int(outcome[LIMITED]),
            "migrate_cold": int(outcome[COLD]),
            "migrate_refused": int(outcome[REFUSED]),
            "migrate_capped": int(outcome[CAPPED]),
            "migrate_over_share": int(outcome[OVER_SHARE]),
        }
        return {
            "pgpromote_success": int(self.books.pages[0]),
            "pgpromote_candidate": self.candidates,
            **failed,
            "pgmigrate_fail": sum(failed.values()),
            "queue_dropped": self.dropped,
        }

    @property
    def handled(self) -> int:
        """Candidates taken from the queue so far, whatever became of them."""
        return int(self.books.outcome.sum())

    @property
    def room(self) -> bool:
        """True if there is room for a page where the next candidates go."""
        nid, at = self.knobs.target_node, self.chunks.at
        if at[FIRST] < at[END]:
            nid = self.books.target[self.memory.mm[self.chunks.head[at[FIRST], GRANULE_OF]]]
        return bool(self.memory.free[nid] > self._reserve[nid])

    @property
    def moves(self) -> bool:
        """True if draining now would move folios: some wait, and the target has room."""
        return (self.chunks.at[WAITING] > 0 or self.lists.turns) and self.room

    @property
    def crowds(self) -> bool:
        """True if what waits for a thread may leave no place for what is found meanwhile."""
        return self.knobs.queue_max > 0 and self.knobs.owner == "thread" and len(self) > 0

    def oldest_ns(self) -> int:
        """Time of arrival of the candidate that waits longest; 0 if none waits."""
        return self.lists.oldest_ns()

    def add(self, found: Reports) -> None:
        """Queue candidates as they were handed on; what exceeds queue_max is dropped."""
        nr = found.folios.size
        room = self.knobs.queue_max - len(self) if self.knobs.queue_max else nr
        taken = min(max(room, 0), nr)
        self.candidates += nr
        self.dropped += nr - taken
        self.lists.add(found, taken)

    def turn(self, clock: NDArray[np.int64], until: int) -> None:
        """Go on with the next list if the thread, whose clock is the first, is awake by then."""
        if self.lists.turns and clock[0] < until:
            self.lists.turn()

    def forget(self, mm: int, now: int) -> None:
        """Take out the candidates of a process that exits: they are stale and cost nobody anything.

        Its next life would find them otherwise, where the kernel frees the folios that they name.
        """
        self.books.tally[mm] = self.books.fail_pct[mm] = 0
        for left, stamps in self.lists.forget(mm):
            waited = np.maximum(now - stamps, 0)
            self.books.outcome[STALE] += left.sum()
            self.books.age[0] += (left * waited).sum()
            self.books.age[1] = max(self.books.age[1], waited.max())

    def _terms(self) -> Terms:
        knobs = self.knobs
        return Terms(
            knobs.target_node,
            knobs.batch_us * 1e3,
            knobs.folio_us * 1e3,
            knobs.copy_gb_s,
            knobs.batch_nr,
            int(self._reserve[knobs.target_node]),
            knobs.rate_limit_mib_s * PAGES_PER_MIB,
            knobs.refuse_shared,
            -1,
            _ASKED[knobs.still_hot],
        )

    def retune(self, name: str, value: Any) -> None:
        """Apply a live knob."""
        self.knobs = self.knobs._replace(**{name: value})
        self.terms = self._terms()
