"""A task whose PTEs are marked and that faults, made by hand."""

import numpy as np
from numpy.typing import NDArray

from tests.engine.machines import Layout, flat_rates, laid_out
from tiering.engine.flow import Pace
from tiering.engine.folios import GRANULE, HINT, Memory
from tiering.engine.touch import Rates, scratch
from tiering.sources.hint_fault import HintFaults
from tiering.sources.hint_knobs import HintFault
from tiering.sources.hint_state import FAULTS, UPDATES
from tiering.sources.pte_state import ScannedMm
from tiering.sources.source import Step

MS = 1_000_000
S = 1000 * MS
ROOM = 1 << 22
FREE = HintFault(pte_update_ns=0.0, pte_skip_ns=0.0, fault_ns=0.0)
NOBODY = 1e-30  # touches an access: never


class Task:
    """One mm, one VMA unless said, on the slow node (1) unless said; an access takes a ns."""

    def __init__(
        self,
        vmas: list[Layout],
        share: float = NOBODY,
        knobs: HintFault = FREE,
        threads: int = 8,
        rates: Rates | None = None,
    ) -> None:
        self.memory: Memory = laid_out(vmas, [ROOM, ROOM])
        self.memory.row0[:] = 0  # all VMAs share the one row
        self.memory.resident[0] = self.memory.resident.sum(axis=0)
        self.memory.resident[1:] = 0
        one = np.ones(1)
        self.pace = Pace(np.zeros(2, np.int64), np.zeros(1), one, one * np.inf)
        self.rates = rates or flat_rates(share)
        self.charge, self.moved = np.zeros(1), np.zeros(1, np.int64)
        ends = np.cumsum([-(-(vma.nr_folios << vma.order) // GRANULE) for vma in vmas]).tolist()
        extents = tuple((a, b, 32.0 * (b - a)) for a, b in zip([0, *ends], ends, strict=False))
        self.scratch = scratch()
        self.source = HintFaults(
            knobs, self.memory, self.rates, self.scratch, [ScannedMm("mm", extents)], [threads],
            self.charge, self.moved, np.zeros(1, np.int64),
        )  # fmt: skip
        self.source.enter(0, 0)
        self.clock = 0
        self.latencies: list[NDArray[np.int32]] = []
        self.folios: list[NDArray[np.uint32]] = []
        self.visits: list[int] = []

    def run(self, until: int, stops: bool = True) -> Step:
        """Go on to `until`, keeping what was reported and when visits began."""
        step = Step(0, 0, 0, False)
        while self.clock < until:
            step = self.source.run(0, self.clock, until, self.pace, stops)
            self.clock = step.clock
            self.latencies.append(self.source.reports.latency_ms.copy())
            self.folios.append(self.source.reports.folios.copy())
        return step

    @property
    def marked(self) -> list[int]:
        return np.flatnonzero(self.memory.folio & np.uint32(HINT)).tolist()

    @property
    def updates(self) -> int:
        return int(self.source.marks.at[UPDATES])

    @property
    def faults(self) -> int:
        return int(self.source.marks.at[FAULTS])
