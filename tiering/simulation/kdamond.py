"""A kdamond: samples, and applies its schemes to its own regions (docs/model.md#damos).

Promotion goes through the queue as that of any source; with the scanner as its owner the kdamond
migrates inline, and its next sample is late. Demotion is done at once on the same clock.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tiering.demotion.damos_cold import MigrateCold
from tiering.engine.damon_region import SLOW_SIDE, TOP, Regions
from tiering.engine.damos import Damos, Tempo
from tiering.engine.flow import sink_room
from tiering.engine.jit import Direct
from tiering.engine.movers import Movers
from tiering.engine.scheme_table import ACTIVE, NEXT_APPLY, NR_FIELDS, apply_later
from tiering.engine.sink import Sink
from tiering.hotness.damon_regions import DamonRegions
from tiering.migration.queue import MigrationQueue
from tiering.promotion.damos_hot import MigrateHot
from tiering.simulation.build import World
from tiering.simulation.damon_join import has_cold_scheme
from tiering.simulation.filters import Filters
from tiering.simulation.judge import Judge
from tiering.simulation.progress import Progress
from tiering.simulation.reclaimers import Reclaimers
from tiering.simulation.scenario import Scenario
from tiering.simulation.threads import KernelThread, SourceThread
from tiering.sources.damon import Kdamonds
from tiering.sources.damon_state import AGGR_SAMPLES, AGGR_US, APPLY, PASSED, SAMPLE_US, STAGE

_sink_room = Direct(sink_room)


class KdamondThread(SourceThread):
    """schemes: in the order in which they are applied. due: those that are being applied."""

    def __init__(
        self,
        nr: int,
        scenario: Scenario,
        name: str,
        thread: int,
        source: Kdamonds,
        filters: Filters,
        queue: MigrationQueue,
        all_movers: Movers,
        world: World,
        reclaimers: Reclaimers,
    ) -> None:
        super().__init__(nr, scenario, name, thread, source, filters, queue, all_movers)
        self.due: list[Damos] = []
        self._kdamonds, self._world, self._reclaimers = source, world, reclaimers
        self._handed: Damos | None = None
        self._handed_ns = 0
        if isinstance(filters.hotness, DamonRegions):
            filters.hotness.regions.append(self.regions)
        self.schemes = self._schemes(scenario)
        table = np.zeros((len(self.schemes), NR_FIELDS), np.int64)
        for row, scheme in zip(table, self.schemes, strict=True):
            row[:] = scheme.row
            scheme.row = row
        source.attend(thread, table)

    def _schemes(self, scenario: Scenario) -> list[Damos]:
        """What is applied to its regions, promotion first."""
        side, found = self.regions.side, list[Damos]()
        promotion, target = self._filters.promotion, scenario.migration.target_node
        if isinstance(promotion, MigrateHot) and side != TOP:
            promotion.pages = self._queue.books.pages
            found.append(promotion)
        if has_cold_scheme(scenario) and side != SLOW_SIDE:
            size, reclaimers = int(self._world.capacity[target]), self._reclaimers
            found.append(
                MigrateCold(
                    scenario.damos_migrate_cold, self._world.memory, target, size,
                    reclaimers.sink, reclaimers.sunk,
                )
            )  # fmt: skip
        return found

    @property
    def tempo(self) -> Tempo:
        """Its intervals in force."""
        at = self._kdamonds.contexts[self._thread].at
        return Tempo(int(at[AGGR_US]), int(at[SAMPLE_US]), int(at[AGGR_SAMPLES]))

    @property
    def regions(self) -> Regions:
        """What it monitors."""
        return self._kdamonds.contexts[self._thread].regions

    def run(self, until: int, progress: Progress, judge: Judge, alone: bool) -> int:  # noqa: ARG002
        """See SourceThread; also ends where folios moved or wait for migration."""
        if self._handed is not None:
            self._handed.spend(max(self.clock - self._handed_ns, 0))
            self._handed = None
        while self.clock < until:
            if self.due:
                stamp = self._apply(until, progress)
            else:
                stamp = super().run(until, progress, judge, False)
                self._begin()
            if stamp >= 0:
                return stamp
        return -1

    def retune(self, name: str, value: Any) -> None:
        """Apply a live knob of the scheme that demotes."""
        for scheme in self.schemes:
            if isinstance(scheme, MigrateCold):
                scheme.retune(name, value)

    def _begin(self) -> None:
        """After a sampling interval: look at the quotas of the schemes that are to be applied."""
        one = self._kdamonds.contexts[self._thread]
        if one.at[STAGE] == APPLY:
            for scheme in self.schemes:
                if scheme.row[ACTIVE] and scheme.row[NEXT_APPLY] <= one.at[PASSED]:
                    scheme.begin(one.regions, self.tempo, self.clock)
                    self.due.append(scheme)

    def _apply(self, until: int, progress: Progress) -> int:
        """Go on with the first scheme that is due; when something moved or was found, ns, or -1."""
        scheme, before, world = self.due[0], self.clock, self._world
        moved = scheme.applied
        scheme.dilate(self._dilation(progress))
        if isinstance(scheme, MigrateCold):
            scheme.sink = self._sink(scheme, progress)
        self.clock, found, done = scheme.act(
            world.rates, self._reclaimers.scratch, self.regions, self.tempo, self.clock, until,
            progress.pace,
        )  # fmt: skip
        self._account(self.clock - before)
        if done:
            one = self._kdamonds.contexts[self._thread]
            apply_later(one.schemes, self.schemes.index(scheme), one.at[PASSED], *self.tempo[:2])
            self.due.pop(0)
        if found.folios.size:
            self._queue.add(found)
            if self.inline and len(self._queue):
                self._handed, self._handed_ns = scheme, self.clock
                self._migrate()
        return before if found.folios.size or scheme.applied > moved else -1

    def _sink(self, scheme: MigrateCold, progress: Progress) -> Sink:
        """Where and on which terms folios sink now: what the bandwidth of the nodes leaves."""
        sink, nodes = self._reclaimers.sink, self._world.nodes
        targets = scheme.targets(sink)
        room = [
            _sink_room(progress.flow, nodes, nid, int(targets[nid, 0]))
            for nid in range(targets.shape[0])
            if not sink.slow[nid] and targets[nid, 0] >= 0
        ]
        rate = min([sink.bytes_per_ns / self._slow, *room])
        return sink._replace(
            targets=targets, folio_ns=sink.folio_ns * self._slow, bytes_per_ns=rate
        )


def schemes_of(threads: Sequence[KernelThread]) -> list[Damos]:
    """All schemes of DAMOS in a run."""
    return [
        one for thread in threads if isinstance(thread, KdamondThread) for one in thread.schemes
    ]
