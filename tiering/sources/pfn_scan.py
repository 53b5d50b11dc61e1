"""kmmscand over page frames: slow nodes take the place of mms (docs/model.md#physical-walk).

A node has a period, a size and what its last visit found, as an mm has otherwise, and adapts by the
same table. The loops are in pfn_walk.py and pte_visit.py. Not modelled: frames (the order is that
of the folio array, whatever moved there when), free frames, locks of folios and of reverse maps.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiering.engine.flow import Pace
from tiering.engine.folios import Memory
from tiering.engine.touch import Rates, Scratch
from tiering.sources.pte_knobs import PteScan
from tiering.sources.pte_scan import PteScanner
from tiering.sources.pte_state import ScannedMm
from tiering.sources.source import Step


class PfnScanner(PteScanner):
    """All scanning threads' work; a Source. What its base says of mms holds for slow nodes."""

    KIND = "node"

    def __init__(
        self,
        knobs: PteScan,
        memory: Memory,
        rates: Rates,
        scratch: Scratch,
        nodes: Sequence[tuple[int, str]],
        nr_mms: int,
        lists: Sequence[Sequence[int]] | None = None,
        thread: str = "kmmscand",
    ) -> None:
        """nodes: (nid, name) of each slow node. lists: as PteScanner, by place in `nodes`."""
        whole = ((0, memory.nr.size, 0.0),)
        scanned = [ScannedMm(name, whole, scale=1, nid=nid) for nid, name in nodes]
        super().__init__(knobs, memory, rates, scratch, scanned, lists, thread)
        self._ended = np.zeros(len(nodes), np.bool_)
        self._nr_mms = nr_mms

    def run(self, thread: int, clock: int, until: int, pace: Pace, stops: bool) -> Step:
        """See PteScanner; all mms were looked at once every node was."""
        step = super().run(thread, clock, until, pace, stops)
        looked: list[tuple[int, int, int]] = []
        for node, ns, nr_before in self.passes.tolist():
            self._ended[node] = True
            if self._ended.all():
                self._ended[:] = False
                looked += [(mm, ns, nr_before) for mm in range(self._nr_mms)]
        self.passes: NDArray[np.int64] = np.array(looked, np.int64).reshape(-1, 3)
        return step

    def enter(self, mm: int, now: int) -> None:
        """A node knows nothing of mms: their folios are there when they are."""

    def leave(self, mm: int) -> None:
        """See `enter`."""

    def columns(self) -> dict[str, NDArray[Any]]:
        """See Source; of mms it has none."""
        return {}

    def node_columns(self, nr_nodes: int) -> dict[str, NDArray[Any]]:
        """Its figures of every node ([nr_nodes], 0 for the top tier), by the name of the metric."""
        found = {}
        for name, values in super().columns().items():
            found[name] = np.zeros(nr_nodes)
            found[name][self.mms.nid] = values
        return found
