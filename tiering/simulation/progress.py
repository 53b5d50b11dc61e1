"""Work time and speed of all processes, tied by the closed loop (docs/model.md#throughput)."""

import numpy as np

from tiering.engine.flow import BORDER, TICK_NS, TIME, Flow, Pace, advance, flow, settle
from tiering.engine.jit import Direct
from tiering.engine.oracle import quota, rearrange
from tiering.engine.touch import phase_of, phases_of, row_rates
from tiering.simulation.build import World

__all__ = ["TICK_NS", "Progress"]


_settle = Direct(settle)
_phases_of = Direct(phases_of)


class Progress:
    """flow: see engine/flow.py. finished_ns: i64[P] end of the fixed work, -1 before."""

    def __init__(self, world: World, dirty: np.ndarray, optimal: bool) -> None:
        """dirty: shared with whoever moves folios; optimal: place as the oracle does, for free."""
        self._world, self._optimal = world, optimal
        self.flow: Flow = flow(
            world.threads, world.outstanding, world.fixed_ns, world.write_share, world.work,
            world.nodes.idle_ns, world.cpus, dirty,
        )  # fmt: skip
        one = self.flow
        self.pace = Pace(one.at, one.tau, one.speed, one.work)
        self._phased = world.rates.nr_phases > 1
        self.finished_ns = np.full(world.work.size, -1, np.int64)
        self._phase = np.zeros(world.work.size, np.int64)

    @property
    def time_ns(self) -> int:
        """Grid point reached."""
        return int(self.flow.at[TIME])

    @property
    def border_ns(self) -> int:
        """Grid point of the next phase border or end of work."""
        return int(self.flow.at[BORDER])

    @property
    def at_border(self) -> bool:
        """True if a phase or a work has ended and nobody has taken notice."""
        return self.time_ns >= self.border_ns

    def advance(self, end: int) -> None:
        """Go on to `end` at the present speeds."""
        advance(self.flow, end)

    def phase(self, mm: int) -> int:
        """Phase of its work that a process is in."""
        _, phase, _ = phase_of(self._world.rates, mm, float(self.flow.tau[mm]))
        return int(phase)

    def new_phases(self) -> list[tuple[int, int]]:
        """(process, phase) of those that run and came into a phase since the last call."""
        before = self._phase.copy()
        if not _phases_of(self._world.rates, self.flow.tau, self._phase):
            return []
        new = np.flatnonzero((self._phase != before) & self.flow.running)
        return [(int(p), int(self._phase[p])) for p in new]

    def finish(self) -> list[int]:
        """Processes whose work has ended since the last call; they ask for nothing any more."""
        one = self.flow
        ended = np.flatnonzero((one.tau >= one.work) & (self.finished_ns < 0))
        for p in ended:
            over = float((one.tau[p] - one.work[p]) / one.speed[p])
            self.finished_ns[p] = self.time_ns - round(over)
            one.running[p] = False
        one.tau[ended] = one.work[ended]
        return [int(p) for p in ended]

    def settle(self, changed: bool = False) -> None:
        """Solve the closed loop for the present placement and load.

        changed: rates or placement may be others, as after a phase border.
        """
        if changed:
            self.flow.dirty[self._phased] = True
            if self._optimal:
                self._rearrange()
                self.flow.dirty[:] = True
        _settle(self.flow, self._world.rates, self._world.memory, self._world.nodes)

    def _rearrange(self) -> None:
        """The oracle's placement, with equal speed per outstanding access of all processes."""
        world = self._world
        rates = np.zeros(world.nr_folios.size)
        speed = np.where(self.flow.running, world.outstanding, 0.0)
        row_rates(world.rates, self.flow.tau, speed, rates)
        (top,) = np.flatnonzero(world.top_tier)  # the loader allows no other machine
        resident = world.memory.resident.sum(axis=1)
        wanted = quota(resident, rates, world.memory.pages, int(world.capacity[top]))
        for slow in np.flatnonzero(~world.top_tier):
            rearrange(world.memory, wanted, int(top), int(slow))
