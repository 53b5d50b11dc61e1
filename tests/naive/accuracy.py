"""Precision and recall of the scanner in the naive twin: folio by folio, against all others."""

from tests.naive.memory import NOWHERE, Folio
from tests.naive.processes import Process
from tests.naive.throughput import Throughput

TINY = 1e-300  # less than any touch


class Accuracy:
    """reported, hot: reports, and hot folios among them; found, there: in full scans, hot folios
    reported, and those that were on the slow tier when the scan began."""

    def __init__(self, throughput: Throughput) -> None:
        self.throughput, self.solved = throughput, 0
        self.heat: dict[Folio, float] = {}
        self.least, self.flat = TINY, True
        self.reported = self.hot = self.found = self.there = 0
        self.open: dict[Process, tuple[int, int]] = {}  # of the pass that goes on

    def begin_pass(self, process: Process) -> None:
        """How many hot folios there are to find."""
        if process not in self.open:
            slow = [
                f
                for f in process.folios
                if f.nid != NOWHERE and not self.throughput.memory.top[f.nid]
            ]
            self.open[process] = 0, self._hot(slow)

    def judge(self, process: Process, reports: list[Folio], ends_pass: bool) -> None:
        """What a visit reported, before anything of it moves; a pass may end with it."""
        hot = self._hot(reports)
        if not self.flat:
            self.reported += len(reports)
            self.hot += hot
        found, there = self.open[process]
        self.open[process] = found + hot, there
        if ends_pass:
            if not self.flat:
                self.found += min(found + hot, there)
                self.there += there
            del self.open[process]

    def figures(self) -> dict[str, float]:
        return {
            "precision": self.hot / self.reported if self.reported else 0.0,
            "recall": self.found / self.there if self.there else 0.0,
        }

    def _hot(self, folios: list[Folio]) -> int:
        """Folios at least as hot as the last page that fits on the top tier."""
        if self.solved != self.throughput.solved:  # speeds, and so heat, are others now
            self.solved = self.throughput.solved
            self._weigh()
        return sum(self.heat.get(folio, 0.0) >= self.least for folio in folios)

    def _weigh(self) -> None:
        """Touches of a page of each folio, of those that are touched, and of the last that fits."""
        self.heat = {
            folio: folio.weights[region.phase] * process.speed / folio.pages
            for process in self.throughput.processes
            for region in process.regions
            for folio in region.folios
            if folio.nid != NOWHERE and folio.weights[region.phase] * process.speed > 0
        }
        self.flat = len(set(self.heat.values())) < 2
        memory = self.throughput.memory
        room = sum(size for size, top in zip(memory.size, memory.top, strict=True) if top)
        for folio in sorted(self.heat, key=self.heat.__getitem__, reverse=True):
            room -= folio.pages
            self.least = self.heat[folio]
            if room <= 0:
                return
        self.least = TINY  # all that is touched fits
