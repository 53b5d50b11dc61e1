"""Reads of page cache that nobody maps ask for its promotion (docs/model.md#page-cache-access).

No PTE, so no accessed bit and no hint fault: what knows of a read() is folio_mark_accessed. There a
folio below the top tier that is active and referenced already becomes a candidate, which the task
itself migrates on its way back to user mode. Mirrors promotion_candidate and
task_numa_promotion_work as posted by Gregory Price, with the counting of reads by generations by
Donet Tom. Loops are in page_cache_look.py.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiering.engine.flow import TICK_NS, TIME, Pace
from tiering.engine.folios import AS_IT_IS, GRANULE, Memory
from tiering.engine.jit import Direct, loop
from tiering.engine.page_cache import WATCHED, WATCHED_BY_GENERATIONS
from tiering.engine.reports import Reports, has_room, reports
from tiering.engine.touch import Rates, Scratch
from tiering.sources.hint_fault import HintFaults
from tiering.sources.page_cache_knobs import PageCacheAccess
from tiering.sources.page_cache_look import (
    CURSOR,
    FOUND,
    NEXT,
    NS_PER_MS,
    TESTS,
    WAS_ON,
    Reads,
    Rules,
    look_at_reads,
    reads,
)
from tiering.sources.source import Step

BUFFER_GRANULES = 32
PAGES_PER_KIB = 4


@loop
def watch(memory, rates, scratch, one, rules, clock, until, pace, found, stops):  # type: ignore[no-untyped-def]
    """Looks that are due, until the clock passes `until`.

    Stops where `found` is full and, after something was found or paid for, at once or at the end of
    the tick. Returns (clock, ns of tasks, reports, runs, whether it stopped with finds).
    """
    at = one.at
    n, nr_runs = np.int64(0), np.int64(0)
    spent, ended = 0.0, False
    while clock < until:
        if at[CURSOR] < 0:
            if clock < at[NEXT]:
                clock = min(at[NEXT], until)
                continue
            at[CURSOR] = 0
        while at[CURSOR] < memory.nr.size and has_room(found, n, nr_runs):
            if memory.unmapped[at[CURSOR]] != 0:
                n, nr_runs, cost = look_at_reads(
                    memory, rates, scratch, one, rules, at[CURSOR], clock, pace, found, n, nr_runs
                )
                spent += cost
            at[CURSOR] += 1
        if at[CURSOR] < memory.nr.size:
            break
        at[CURSOR] = -1
        at[WAS_ON] = 1
        at[NEXT] = (clock // rules.look_ns + 1) * rules.look_ns
        if at[FOUND] + n > 0 and stops:
            ended = True
            break
        if n > 0 or spent > 0.0:
            until = min(until, (max(clock, pace.at[TIME]) // TICK_NS + 1) * TICK_NS)
    at[FOUND] = 0 if ended else at[FOUND] + n
    return clock, np.int64(spent + 0.5), n, nr_runs, ended


_watch = Direct(watch)


class PageCacheReads:
    """What all tasks read; a Source. Its clock is nobody's: tasks pay (`charge`).

    beside: hint faults of the run, whose sysctl must be in a mode with memory tiering; where nobody
    marks it counts as set.
    """

    stalls: ClassVar[bool] = False  # what tasks spend is settled behind the step (engine/carry.py)

    def __init__(
        self, knobs: PageCacheAccess, memory: Memory, rates: Rates, scratch: Scratch,
        charge: NDArray[np.float64],
    ) -> None:  # fmt: skip
        """charge: f64[M] ns that tasks have to lose, of the run. From here on a look at page cache
        of this memory finds out what was read hot."""
        self.knobs = knobs
        self.memory, self._rates, self._scratch = memory, rates, scratch
        by_lists = memory.entry[0] == AS_IT_IS
        matter = WATCHED if by_lists else WATCHED_BY_GENERATIONS
        memory.unmapped[memory.unmapped != 0] = matter
        self.beside: HintFaults | None = None
        self.state: Reads = reads(memory.nr.size, rates.sweeps.part.size, charge)
        self._found = reports(BUFFER_GRANULES * GRANULE, 4096, latencies=True)
        self.reports: Reports = self._found.first(0, 0)
        self.passes: NDArray[np.int64] = np.zeros((0, 3), np.int64)
        self.events: list[dict[str, Any]] = []

    @property
    def enabled(self) -> bool:
        """Whether reads ask: the switch, and memory tiering in the sysctl of NUMA balancing."""
        tiering = self.beside is None or self.beside.tiering
        return self.knobs.pagecache_promotion_enabled and tiering

    @property
    def counters(self) -> dict[str, int]:
        """Counters by metric name."""
        return {"numa_hint_page_cache": int(self.state.at[TESTS])}

    def columns(self) -> dict[str, NDArray[Any]]:
        """See Source: it knows of folios, not of mms."""
        return {}

    def run(
        self,
        thread: int,  # noqa: ARG002 - there is none
        clock: int,
        until: int,
        pace: Pace,
        stops: bool,
    ) -> Step:
        """See Source; busy_ns is time of tasks. Off, it looks at nothing."""
        at = self.state.at
        if not self.enabled:
            at[WAS_ON] = 0
            self.reports = self._found.first(0, 0)
            return Step(until, 0, 0, False)
        if not at[WAS_ON] and at[CURSOR] < 0:
            at[NEXT] = clock
        clock, busy, nr, nr_runs, ended = _watch(
            self.memory, self._rates, self._scratch, self.state, self._rules(), clock, until, pace,
            self._found, stops,
        )  # fmt: skip
        self.reports = self._found.first(nr, nr_runs)
        return Step(int(clock), int(busy), int(nr), bool(ended))

    def rest(self, thread: int, clock: int, until: int) -> tuple[int, int]:  # noqa: ARG002 - none
        """See Source."""
        at = self.state.at
        if self.enabled and (at[CURSOR] >= 0 or not at[WAS_ON]):
            return clock, 0
        return max(clock, min(int(at[NEXT]), until) if self.enabled else until), 0

    def dilate(self, slow: float) -> None:
        """Tasks pay with time of their own: there is nothing to do."""

    def enter(self, mm: int, now: int) -> None:
        """Nothing of a new mm was read yet."""
        own = (self.memory.mm == mm) & (self.memory.unmapped != 0)
        self.state.seen[own] = self.memory.last[own]
        self.state.seen_ns[own] = now

    def leave(self, mm: int) -> None:
        """What is known of its folios goes with them."""

    def retune(self, name: str, value: Any, now: int) -> None:  # noqa: ARG002 - from now on
        """See Source."""
        self.knobs = self.knobs._replace(**{name: value})

    def _rules(self) -> Rules:
        knobs = self.knobs
        newest = knobs.version == "v4"
        return Rules(
            newest, knobs.promo_list_pages if newest else 2**62,
            knobs.read_kib // PAGES_PER_KIB, knobs.check_ns, knobs.look_ms * NS_PER_MS,
        )  # fmt: skip
