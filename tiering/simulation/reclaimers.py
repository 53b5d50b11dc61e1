"""kswapd of every node that has a lower tier, and direct reclaim by an allocating task."""

import numpy as np
from numpy.typing import NDArray

from tiering.demotion.kswapd import first_state, sink
from tiering.engine.flow import Pace
from tiering.engine.folios import Memory
from tiering.engine.generations import shrink_generations
from tiering.engine.reclaim import IDLE_STEPS, TURN, shrink
from tiering.engine.sink import Sink, Sunk, sunk
from tiering.engine.touch import Scratch
from tiering.simulation.build import World
from tiering.simulation.scenario import Scenario

FAR = 2**62


class Reclaimers:
    """nids: nodes with a kswapd. state: i64[K, NR_STATE] of theirs. sink, sunk: see engine."""

    def __init__(
        self, scenario: Scenario, world: World, scratch: Scratch, dirty: NDArray[np.bool_]
    ) -> None:
        knobs = scenario.reclaim
        self._world, self.scratch = world, scratch
        self.node_names = [node.name for node in scenario.nodes]
        self.sunk: Sunk = sunk(world.capacity.size, dirty)
        self.sink: Sink = sink(knobs, world.tiers, world.marks.least, scenario.migration.copy_gb_s)
        self.sink = self.sink._replace(shares=world.shares)
        lowest = world.tiers.max()
        self.nids: list[int] = []
        if knobs.demotion_enabled:
            self.nids = np.flatnonzero(world.tiers < lowest).tolist()
        self.state = first_state(len(self.nids))
        self._pace: Pace | None = None

    def follow(self, pace: Pace) -> None:
        """Work time of the processes, needed before `direct` is called."""
        self._pace = pace

    def can_sink(self, nid: int) -> bool:
        """True if folios of the node may be demoted."""
        return nid in self.nids

    def direct(self, nid: int, wanted: int, now: int) -> tuple[int, float]:
        """Reclaim at once until `wanted` pages are free; (pages demoted, ns it took the task)."""
        memory: Memory = self._world.memory
        state = self.state[self.nids.index(nid)]
        before = int(self.sunk.pages[0])
        loop = shrink_generations if self.sink.mglru else shrink
        clock = loop(
            memory, self._world.rates, self.scratch, nid, state, now, FAR, self._pace, wanted,
            self.sink, self.sunk,
        )  # fmt: skip
        state[IDLE_STEPS] = state[TURN] = 0
        return int(self.sunk.pages[0]) - before, float(clock - now)
