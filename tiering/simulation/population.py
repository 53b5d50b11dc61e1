"""Memory comes and goes: first touch with fallback, growth, exit, and the end of all memory.

Mirrors the page allocator with each node one zone (docs/model.md#allocation): nodes are tried in
the order of the zonelist down to low, kswapd wakes, then down to min, then the task reclaims
directly where folios can sink, and when nothing helps the largest process is killed.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import FOLIO_BYTES, GRANULE, fill, unplace
from tiering.engine.untouched import untouched_pages
from tiering.simulation.build import World
from tiering.simulation.layout import Vma
from tiering.simulation.load import ScenarioError
from tiering.simulation.progress import TICK_NS, Progress
from tiering.simulation.reclaimers import Reclaimers
from tiering.simulation.scenario import FOLIOS_PER_MIB, Scenario

NS_PER_S = 1_000_000_000
FAR = 2**62


class Population:
    """alive: bool[P]. killed: names of processes that memory ran out for. direct: pages demoted by
    allocating tasks themselves. faults: first touches after the begin of the run. untouched: pages
    freed that were not touched since their promotion."""

    def __init__(
        self, scenario: Scenario, world: World, progress: Progress, reclaimers: Reclaimers
    ) -> None:
        self._origin, self._world = scenario.origin, world
        self._progress, self._reclaimers = progress, reclaimers
        self._fault_ns = scenario.machine.fault_us * 1e3
        templates = [process for process, _ in scenario.all_processes()]
        self._lifetime = [_ticks(process.lifetime_s) for process in templates]
        self._every = [_ticks(process.every_s) for process in templates]
        self._next: NDArray[np.int64] = np.array([_ticks(p.start_s) for p in templates], np.int64)
        nr = len(templates)
        self.alive = np.zeros(nr, np.bool_)
        self._phase = np.full(nr, -1, np.int64)
        self._since, self._ran = np.zeros(nr, np.int64), np.zeros(nr, np.int64)
        self.killed: list[str] = []
        self.direct = self.faults = self.untouched = 0
        self.events: list[dict[str, Any]] = []
        self.entered: list[int] = []
        self.left: list[int] = []
        self._phased = [any(v.folios.size > 1 for v in vmas) for vmas in world.vmas]

    def next_ns(self) -> int:
        """Grid point of the next start or exit."""
        return int(self._next.min())

    @property
    def over(self) -> bool:
        """True if no process is there and none will begin."""
        return not self.alive.any() and self.next_ns() == FAR

    def ran_ns(self, now: int) -> NDArray[np.int64]:
        """i64[P] time for which each process was there and had work."""
        finished = self._progress.finished_ns
        end = np.where(finished >= 0, np.minimum(finished, now), now)
        return self._ran + np.where(self.alive, np.maximum(end - self._since, 0), 0)

    def act(self, now: int) -> bool:
        """Starts and exits that are due and growth into a new phase; True if anything changed.

        `entered` and `left` name the mms that came and went.
        """
        changed = False
        while (due := np.flatnonzero(self._next <= now)).size:  # an exit may be the next start too
            changed = True
            for mm in due.tolist():
                if self.alive[mm]:
                    self._exit(mm, now)
                elif self._next[mm] <= now:
                    self._start(mm, now)
        for mm, phased in enumerate(self._phased):
            if phased and self.alive[mm]:
                changed |= self._grow(mm, now)
        return changed

    def _start(self, mm: int, now: int) -> None:
        self.alive[mm] = True
        self._since[mm] = now
        self._phase[mm] = -1
        self._next[mm] = now + self._lifetime[mm] if self._lifetime[mm] else FAR
        self._began(mm)
        if now:
            self._say(now, f"{self._world.mms[mm].name}: starts")
        self._grow(mm, now)
        flow = self._progress.flow
        flow.running[mm] = self.alive[mm] and self._progress.finished_ns[mm] < 0
        flow.dirty[mm] = True
        self.entered.append(mm)

    def _began(self, mm: int) -> None:
        """All granules are as if just looked at, nothing of an earlier life is left."""
        memory, tau = self._world.memory, self._progress.flow.tau[mm]
        for vma in self._world.vmas[mm]:
            memory.last[vma.first : vma.end] = tau

    def _exit(self, mm: int, now: int) -> None:
        began = now - self._lifetime[mm]
        self._next[mm] = began + self._every[mm] if self._every[mm] else FAR
        self._free(mm, now)
        self._say(now, f"{self._world.mms[mm].name}: exits")

    def _free(self, mm: int, now: int) -> None:
        self._ran[mm] = self.ran_ns(now)[mm]
        self.alive[mm] = False
        flow = self._progress.flow
        flow.running[mm] = False
        flow.dirty[mm] = True
        flow.stall_ns[mm] = 0.0
        world, scratch = self._world, self._reclaimers.scratch
        for vma in world.vmas[mm]:
            self.untouched += untouched_pages(
                world.memory, world.rates, scratch, flow.tau, vma.first, vma.end
            )
            unplace(world.memory, vma.first, vma.end)
        self.left.append(mm)

    def _grow(self, mm: int, now: int) -> bool:
        """Populate what belongs to the present phase; True if there was anything to do."""
        phase = self._progress.phase(mm)
        if phase <= self._phase[mm]:
            return False
        self._phase[mm] = phase
        for vma in self._world.vmas[mm]:
            wanted = vma.nr_folios(phase)
            while self.alive[mm] and self._allocate(vma, wanted, now):
                self._out_of_memory(vma, now)
        self._progress.flow.dirty[mm] = True
        return True

    def _allocate(self, vma: Vma, wanted: int, now: int) -> int:
        """First touch of the next folios of a VMA; returns how many found no place."""
        memory, marks = self._world.memory, self._world.marks
        there = int(memory.nr[vma.first : vma.end].sum())
        first = there
        for mark in (marks.low, marks.least):
            for nid in vma.nodes:
                there = self._take(vma, there, wanted, nid, int(mark[nid]))
        for nid in vma.nodes:
            if there < wanted and self._reclaimers.can_sink(nid):
                pages = int(marks.least[nid]) + ((wanted - there) << vma.order)
                demoted, spent = self._reclaimers.direct(nid, pages, now)
                self.direct += demoted
                self._progress.flow.stall_ns[vma.mm] += spent if now else 0.0
                there = self._take(vma, there, wanted, nid, int(marks.least[nid]))
        if now:
            self.faults += there - first
            self._progress.flow.stall_ns[vma.mm] += (there - first) * self._fault_ns
        return wanted - there

    def _take(self, vma: Vma, there: int, wanted: int, nid: int, mark: int) -> int:
        """Populate folios on one node down to a watermark; returns the folios that are there."""
        memory = self._world.memory
        room = max(int(memory.free[nid]) - mark, 0) >> vma.order
        end = min(wanted, there + room)
        if end > there:
            slow = int(not self._world.top_tier[nid])
            fill(memory, vma.first, GRANULE >> vma.order, there, end, nid, slow)
        return end

    def _out_of_memory(self, vma: Vma, now: int) -> None:
        world = self._world
        names = ", ".join(self._node_name(nid) for nid in vma.nodes)
        if now == 0:
            raise ScenarioError(f"{self._origin}: {self._misfit(vma, names)}")
        mm = self._largest()
        rss = self._rss(mm) * FOLIO_BYTES / 2**20
        self._say(
            now,
            f"Out of memory: {world.mms[vma.mm].name} found no page on {names}; "
            f"killed process {world.mms[mm].name} ({rss:.0f} MiB)",
        )
        self.killed.append(world.mms[mm].name)
        self._next[mm] = FAR
        self._free(mm, now)

    def _misfit(self, vma: Vma, nodes: str) -> str:
        """What does not fit at the begin: all that `vma`, maybe a piece, is a part of."""
        world, phase = self._world, int(self._phase[vma.mm])
        pieces = [one for one in world.vmas[vma.mm] if one.key == vma.key]
        missing = sum(one.nr_folios(phase) << one.order for one in pieces)
        missing -= sum(int(world.memory.nr[v.first : v.end].sum()) << v.order for v in pieces)
        what = f"process {world.mms[vma.mm].name}"
        if not vma.key.endswith("recording"):
            what += f", VMA {vma.name}"
        total = int(world.capacity[list(vma.nodes)].sum()) / FOLIOS_PER_MIB
        return (
            f"{vma.key}: {what} of {sum(one.size_mib for one in pieces):g} MiB does not fit: "
            f"{nodes} has {total:g} MiB in all, of which the min watermark stays free, "
            f"{missing / FOLIOS_PER_MIB:g} MiB too few"
        )

    def _largest(self) -> int:
        sizes = [self._rss(mm) if self.alive[mm] else -1 for mm in range(self.alive.size)]
        return int(np.argmax(sizes))

    def _rss(self, mm: int) -> int:
        """Pages of a process."""
        memory, rates = self._world.memory, self._world.rates
        rows = slice(int(rates.row_at[mm]), int(rates.row_at[mm] + rates.nr_rows[mm]))
        return int(memory.pages[rows] @ memory.resident[rows].sum(axis=1))

    def _node_name(self, nid: int) -> str:
        return self._reclaimers.node_names[nid]

    def _say(self, now: int, text: str) -> None:
        self.events.append({"t_ns": now, "kind": "log", "text": text})


def _ticks(seconds: float) -> int:
    """ns, on the grid."""
    return -(-round(seconds * NS_PER_S) // TICK_NS) * TICK_NS
