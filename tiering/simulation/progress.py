"""Work time and speed of all processes, tied by the closed loop (docs/model.md#throughput).

Work time is linear between two solutions; the loop is solved anew only when placement, copies or
load changed.
"""

import numpy as np
from numpy.typing import NDArray

from tiering.engine.closed_loop import Load, node_shares, solve
from tiering.engine.folios import FOLIO_BYTES
from tiering.engine.oracle import quota, rearrange
from tiering.engine.touch import next_border, row_rates
from tiering.simulation.build import World

TICK_NS = 10_000_000
FAR = 2**62


class Progress:
    """Shapes: P processes, N nodes.

    time_ns: grid point reached. tau: f64[P] accesses done. finished_ns: i64[P] end of the fixed
    work, -1 before. throughput: f64[P] accesses per ns. share: f64[P, N] of a process's accesses by
    node. latency, utilisation: f64[N]. border_ns: grid point of the next end of work or phase.
    """

    def __init__(self, world: World, target_nid: int, optimal: bool) -> None:
        """target_nid: node that copies go to; optimal: place as the oracle does, for free."""
        nr_p, nr_n = world.work.size, world.capacity.size
        self._world, self._target, self._optimal = world, target_nid, optimal
        self.time_ns = 0
        self.tau = np.zeros(nr_p)
        self.finished_ns = np.full(nr_p, -1, np.int64)
        self.throughput = np.zeros(nr_p)
        self.share = np.zeros((nr_p, nr_n))
        self.latency = world.nodes.idle_ns.copy()
        self.utilisation = np.zeros(nr_n)
        self.border_ns = FAR
        self._copy_read, self._copy_write = np.zeros(nr_n), np.zeros(nr_n)
        self._copying = False
        self._rest = np.zeros(nr_p)
        self._solve(placement=True)

    def pace(self, mm: int) -> tuple[int, float, float, float]:
        """Work time of a process in this step: (t0 ns, tau at t0, accesses per ns, last tau)."""
        work = self._world.work
        return self.time_ns, float(self.tau[mm]), float(self.throughput[mm]), float(work[mm])

    def copy_room(self) -> float:
        """GB/s that the target's write side and the slow nodes' read side leave for copies."""
        nodes, target = self._world.nodes, self._target
        free = 1 - self.utilisation
        writes = float(free[target] * nodes.write_gb_s[target] + self._copy_write[target])
        slow = (free * nodes.read_gb_s + self._copy_read)[~self._world.top_tier]
        return max(min(float(slow.min()), writes) if slow.size else writes, 0.001)

    def advance(self, end: int, moved: NDArray[np.int64] | None) -> list[int]:
        """Go on to grid point `end`; returns the processes whose work ended on the way.

        moved: i64[N] folios taken from each node since the last grid point, None for none.
        """
        duration = end - self.time_ns
        at_border = end >= self.border_ns
        before = self.tau
        self.tau = before + self.throughput * duration
        ended = self._finish(before) if at_border else []
        self.time_ns = end
        if moved is not None or self._copying:
            self._account_copies(moved, duration)
            self._solve(placement=moved is not None or at_border)
        elif at_border:
            self._solve(placement=True)
        return ended

    def _finish(self, before: NDArray[np.float64]) -> list[int]:
        work = self._world.work
        ended = np.flatnonzero((self.tau >= work) & (self.finished_ns < 0))
        for p in ended:
            left = (work[p] - before[p]) / self.throughput[p]
            self.finished_ns[p] = self.time_ns + round(left)
        self.tau = np.minimum(self.tau, work)
        return [int(p) for p in ended]

    def _account_copies(self, moved: NDArray[np.int64] | None, duration: int) -> None:
        """Bandwidth used by the copies of the step just done, in bytes per ns."""
        self._copying = moved is not None
        self._copy_write[:] = 0.0
        if moved is None:
            self._copy_read[:] = 0.0
        else:
            self._copy_read = moved * float(FOLIO_BYTES) / duration
            self._copy_write[self._target] = float(moved.sum()) * FOLIO_BYTES / duration

    def _solve(self, placement: bool) -> None:
        """Solve the closed loop for the present placement and load."""
        world = self._world
        finished = self.finished_ns >= 0
        if placement:
            if self._optimal:
                self._rearrange()
            node_shares(world.rates, world.memory, self.tau, finished, self.share)
        load = Load(
            np.where(finished, 0.0, world.outstanding),
            world.fixed_ns,
            world.write_share,
            self.share,
            self._copy_read,
            self._copy_write,
        )
        solve(world.nodes, load, self.latency, self.utilisation, self.throughput, self._rest)
        self.border_ns = self._next_border()

    def _next_border(self) -> int:
        left = float(next_border(self._world.rates, self.tau, self.throughput, self._world.work))
        if left >= FAR / 2:
            return FAR
        tick = -(-(self.time_ns + int(np.ceil(left))) // TICK_NS)
        return max(tick, self.time_ns // TICK_NS + 1) * TICK_NS

    def _rearrange(self) -> None:
        """The oracle's placement, with equal speed per outstanding access of all processes."""
        world = self._world
        rates = np.zeros(world.nr_folios.size)
        speed = np.where(self.finished_ns >= 0, 0.0, world.outstanding)
        row_rates(world.rates, self.tau, speed, rates)
        (top,) = np.flatnonzero(world.top_tier)  # the loader allows no other machine
        wanted = quota(world.nr_folios, rates, int(world.capacity[top]))
        for slow in np.flatnonzero(~world.top_tier):
            rearrange(world.memory, wanted, int(top), int(slow))
