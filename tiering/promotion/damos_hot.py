"""DAMOS migrate_hot: regions that are accessed rise, the hottest first (docs/model.md#damos).

A kdamond asks every apply interval, with its own regions. The rules are those of any scheme
(engine/damos_walk.py); what passes is queued for migration.
"""

import numpy as np
from numpy.typing import NDArray

from tiering.engine.damon_region import END, Regions
from tiering.engine.damos import Damos, Tempo
from tiering.engine.damos_state import ADDRESS, PASSED_PAGES, REGION
from tiering.engine.damos_walk import end_region, next_part, next_region, select
from tiering.engine.flow import Pace
from tiering.engine.folios import GRANULE, Memory
from tiering.engine.jit import Direct, loop
from tiering.engine.look import tau_at
from tiering.engine.reports import UNCOUNTED, Reports, hand_on, has_room, reports
from tiering.engine.touch import Rates, Scratch
from tiering.promotion.damos_knobs import DamosHot

BUFFER_GRANULES = 8


@loop
def find_hot(  # type: ignore[no-untyped-def]
    memory, rates, scratch, regions, one, aggr_us, samples, clock, until, pace, out
):
    """Look at the folios of regions that fit, until the clock passes `until` or `out` is full.

    Returns (clock, folios to promote, runs of them, whether the scheme is done for this time).
    """
    rules, state = one.rules, one.state
    n, runs = np.int64(0), np.int64(0)
    while clock < until and has_room(out, n, runs):
        if state[REGION] < 0 and not next_region(regions, one, aggr_us, samples):
            hand_on(out, np.int64(0), runs, clock)
            return clock, n, runs, True
        granule, first, end = next_part(memory, regions, state)
        tau = tau_at(memory, pace, granule, clock)
        nr, looked = select(memory, rates, scratch, granule, first, end, rules, tau)
        clock += np.int64(looked * rules.filter_ns + 0.5)
        state[PASSED_PAGES] += nr * memory.pages[memory.row0[granule]]
        if nr > 0:
            for i in range(nr):
                out.folios[n + i] = scratch.chosen[i]
            n += nr
            out.ends[runs] = n
            runs += 1
        if state[ADDRESS] == regions.row[state[REGION], END]:
            end_region(regions, state)
    hand_on(out, np.int64(0), runs, clock)
    return clock, n, runs, False


_find_hot = Direct(find_hot)


class MigrateHot(Damos):
    """The scheme of the kdamond of the slow tier; a Promotion."""

    knobs: DamosHot

    def __init__(self, knobs: DamosHot, memory: Memory, nid: int, capacity: int) -> None:
        """nid, capacity: node that the goal is about, and its pages. pages: i64[1] promoted so far,
        of the run, which nobody else does."""
        super().__init__(True, knobs, memory, nid, capacity)
        self.pages: NDArray[np.int64] = np.zeros(1, np.int64)
        self._out = reports(BUFFER_GRANULES * GRANULE, 4096)

    @property
    def applied(self) -> int:
        """See Damos."""
        return int(self.pages[0])

    def choose(
        self,
        hot: Reports,
        latency_ms: NDArray[np.int64],  # noqa: ARG002 - regions decide
        now: int,  # noqa: ARG002
        heat: NDArray[np.int64] = UNCOUNTED,  # noqa: ARG002
    ) -> Reports:
        """See Promotion; reports pass nobody, regions do."""
        return hot.first(0, 0)

    def act(
        self, rates: Rates, scratch: Scratch, regions: Regions, tempo: Tempo, clock: int,
        until: int, pace: Pace,
    ) -> tuple[int, Reports, bool]:  # fmt: skip
        """See Damos."""
        after, n, runs, done = _find_hot(
            self._memory, rates, scratch, regions, self.one, tempo.aggr_us, tempo.samples, clock,
            until, pace, self._out,
        )  # fmt: skip
        self.spend(int(after) - clock)
        return int(after), self._out.first(int(n), int(runs)), bool(done)
