"""DAMOS migrate_cold: regions that nobody accesses sink, the coldest first (docs/model.md#damos).

A kdamond asks every apply interval, with its own regions. The rules are those of any scheme
(engine/damos_walk.py); what passes is demoted at once, on the kdamond's own clock.
"""

import numpy as np
from numpy.typing import NDArray

from tiering.demotion.damos_knobs import DamosCold
from tiering.engine.damon_region import END, Regions
from tiering.engine.damos import Damos, Tempo
from tiering.engine.damos_state import ADDRESS, PASSED_PAGES, REGION
from tiering.engine.damos_walk import end_region, next_part, next_region, select
from tiering.engine.flow import Pace
from tiering.engine.folios import NID_MASK, NID_SHIFT, Memory
from tiering.engine.jit import Direct, loop
from tiering.engine.look import tau_at
from tiering.engine.reports import Reports
from tiering.engine.sink import Sink, Sunk, demote
from tiering.engine.touch import Rates, Scratch

NOTHING = Reports(np.zeros(0, np.uint32), np.zeros(0, np.int64), np.zeros(0, np.int64))


@loop
def sink_cold(  # type: ignore[no-untyped-def]
    memory, rates, scratch, regions, one, aggr_us, samples, clock, until, pace, sink, sunk
):
    """Demote folios of regions that fit, until the clock passes `until`; returns (clock, whether
    the scheme is done for this time)."""
    rules, state = one.rules, one.state
    while clock < until:
        if state[REGION] < 0 and not next_region(regions, one, aggr_us, samples):
            return clock, True
        granule, first, end = next_part(memory, regions, state)
        tau = tau_at(memory, pace, granule, clock)
        nr, looked = select(memory, rates, scratch, granule, first, end, rules, tau)
        spent = looked * rules.filter_ns
        state[PASSED_PAGES] += nr * memory.pages[memory.row0[granule]]
        spent += _demote_by_node(memory, scratch, granule, nr, clock, sink, sunk)
        clock += np.int64(spent + 0.5)
        if state[ADDRESS] == regions.row[state[REGION], END]:
            end_region(regions, state)
    return clock, False


@loop
def _demote_by_node(memory, scratch, granule, nr, clock, sink, sunk):  # type: ignore[no-untyped-def]
    """Demote scratch.chosen[:nr], which lie on any top-tier nodes; returns the ns spent."""
    for i in range(nr):
        scratch.found[i] = scratch.chosen[i]
    spent = 0.0
    left = nr
    for nid in range(sink.slow.size):
        if left == 0:
            break
        own = np.int64(0)
        mine = np.uint32(nid << NID_SHIFT)
        for i in range(nr):
            if memory.folio[scratch.found[i]] & np.uint32(NID_MASK) == mine:
                scratch.chosen[own] = scratch.found[i]
                own += 1
        if sink.slow[nid] == 0 and own > 0:
            spent += demote(memory, scratch, granule, np.int64(nid), own, clock, sink, sunk)
            left -= own
    return spent


_sink_cold = Direct(sink_cold)


class MigrateCold(Damos):
    """The scheme of the kdamond of the top tier. sink: where and on which terms folios sink now."""

    knobs: DamosCold

    def __init__(
        self, knobs: DamosCold, memory: Memory, nid: int, capacity: int, sink: Sink, sunk: Sunk
    ) -> None:
        """nid, capacity: node that the goal is about, and its pages. sunk: books of the run."""
        super().__init__(False, knobs, memory, nid, capacity)
        self.sink = sink
        self._sunk, self._pages = sunk, 0

    @property
    def applied(self) -> int:
        """See Damos."""
        return self._pages

    def targets(self, sink: Sink) -> NDArray[np.int64]:
        """i64[N, T] where folios of each node sink to; see Sink."""
        if self.knobs.target_nid < 0:
            return sink.targets
        targets = np.full_like(sink.targets, -1)
        targets[:, 0] = self.knobs.target_nid
        return targets

    def act(
        self, rates: Rates, scratch: Scratch, regions: Regions, tempo: Tempo, clock: int,
        until: int, pace: Pace,
    ) -> tuple[int, Reports, bool]:  # fmt: skip
        """See Damos."""
        before = int(self._sunk.pages[0])
        after, done = _sink_cold(
            self._memory, rates, scratch, regions, self.one, tempo.aggr_us, tempo.samples, clock,
            until, pace, self.sink, self._sunk,
        )  # fmt: skip
        self.spend(int(after) - clock)
        self._pages += int(self._sunk.pages[0]) - before
        return int(after), NOTHING, bool(done)
