"""The thread of a top-tier node that demotes what nobody touches (docs/model.md#coldest-first)."""

from tiering.demotion.coldest import Coldest, cold
from tiering.engine.coldest import OVER, STAGE, begin_walk, walk
from tiering.engine.jit import Direct
from tiering.engine.movers import Movers
from tiering.simulation.build import World
from tiering.simulation.judge import Judge
from tiering.simulation.progress import TICK_NS, Progress
from tiering.simulation.reclaimers import Reclaimers
from tiering.simulation.threads import NS_PER_MS, KernelThread

_begin_walk = Direct(begin_walk)
_walk = Direct(walk)


class ColdestThread(KernelThread):
    """Asleep until `due`, or walking. What sinks is copied at the rate of one CPU."""

    def __init__(
        self, nr: int, nid: int, coldest: Coldest, world: World, reclaimers: Reclaimers,
        all_movers: Movers,
    ) -> None:  # fmt: skip
        super().__init__(nr, False, 0, all_movers)
        self.nid = nid
        self._coldest, self._world, self._reclaimers = coldest, world, reclaimers
        self.due = coldest.knobs.interval_ms * NS_PER_MS

    @property
    def walking(self) -> bool:
        """True if a walk has begun and is not over."""
        return bool(self._coldest.ages.at[self.nid, STAGE] != OVER)

    def run(self, until: int, progress: Progress, judge: Judge, alone: bool) -> int:  # noqa: ARG002
        """Work until the clock passes `until`, or the end of the tick in which folios sank; when
        the first did, ns, or -1."""
        slow = self._dilation(progress)
        first = -1
        while self.clock < until:
            if not self.walking:
                if self.clock < self.due:
                    self.clock = min(self.due, until)
                    continue
                self.due = self.clock + self._coldest.knobs.interval_ms * NS_PER_MS
                _begin_walk(self._coldest.ages, self.nid)
            before = self.clock
            if self._step(until, progress, slow) and first < 0:
                first = before
                until = min(until, (before // TICK_NS + 1) * TICK_NS)
        return first

    def rest(self, until: int) -> None:
        """Sleep on."""
        if not self.walking and self.clock < self.due:
            self.clock = min(self.due, max(until, self.clock))

    def _step(self, until: int, progress: Progress, slow: float) -> bool:
        """Walk on until folios sank or there is none; True if some did."""
        world, reclaimers = self._world, self._reclaimers
        sunk, sink = reclaimers.sunk, reclaimers.sink
        before = int(sunk.pages[0])
        dear = sink._replace(folio_ns=sink.folio_ns * slow, bytes_per_ns=sink.bytes_per_ns / slow)
        terms = cold(self._coldest.knobs, int(world.capacity[self.nid]), slow)
        clock, busy = _walk(
            world.memory, world.rates, reclaimers.scratch, self._coldest.ages, self.nid, terms,
            self.clock, until, progress.pace, dear, sunk,
        )  # fmt: skip
        self.clock = int(clock)
        self._account(int(busy))
        moved = int(sunk.pages[0]) - before
        self._coldest.pages += moved
        return moved > 0
