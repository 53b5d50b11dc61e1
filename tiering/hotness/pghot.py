"""pghot: a record of frequency and time for every page (docs/model.md#pghot).

Mirrors mm/pghot.c of the postings: pghot_record_access, pghot_update_record, pghot_get_record. Hot
folios wait in their records until kmigrated walks them. The layouts and loops are in
pghot_record.py. Not modelled: the time that recording takes, records that stay with a page frame
when the folio on it changes.
"""

from collections import deque
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import GRANULE, Memory
from tiering.engine.jit import Direct
from tiering.engine.reports import Reports, reports
from tiering.hotness.hotness import NEVER, Hot
from tiering.hotness.pghot_knobs import Pghot, PghotPrecise
from tiering.hotness.pghot_record import BYTE, PRECISE, SECTION_GRANULES, Rules, note, take

MOST_TAKEN = 2048
"""Room for what one call of `due` takes."""

_note = {1: Direct(note), 4: Direct(note)}
_take = {1: Direct(take), 4: Direct(take)}


class _Coming(NamedTuple):
    """Reports of a source of which some are handed on later than now, and the first run of them."""

    source: str
    reports: Reports
    run: int


class PghotRecords:
    """Records of all folios; a Hotness.

    recorded: reports by source that were recorded, that is those of lower-tier folios.
    """

    def __init__(
        self,
        knobs: Pghot | PghotPrecise,
        memory: Memory,
        nr_nodes: int,
        targets: NDArray[np.int64],
    ) -> None:
        """targets: i64[P] node to which folios of each mm are promoted, and which records name."""
        self.knobs, self._memory, self._targets = knobs, memory, targets
        precise = isinstance(knobs, PghotPrecise)
        self._layout = PRECISE if precise else BYTE
        granules = memory.nr.size
        kind = np.uint32 if precise else np.uint8
        self.records: NDArray[Any] = np.empty(granules * GRANULE, kind)
        self.records.fill(0)  # written now, so that no page of it has to come while the run is on
        self._ready = np.zeros(granules, np.int32)
        self._sections = np.zeros(-(-granules // SECTION_GRANULES), np.uint16)
        self._wake = np.zeros(nr_nodes, np.bool_)
        self._coming: deque[_Coming] = deque()
        self._found = reports(MOST_TAKEN, MOST_TAKEN)
        self._latency = np.zeros(MOST_TAKEN, np.int64)
        self._heat = np.zeros(MOST_TAKEN, np.int64)
        self.recorded: dict[str, int] = {}
        self._rules = self._as_rules()

    @property
    def counters(self) -> dict[str, int]:
        """See Hotness."""
        return {"pghot_recorded_accesses": sum(self.recorded.values())}

    @property
    def window_ms(self) -> int:
        """Window of the frequency, in force."""
        return self.knobs.promote_freq_window_ms

    def record(self, reports: Reports, now: int, source: str) -> Hot:
        """See Hotness; all is kept. A copy waits of what is handed on later than now."""
        self._coming.append(_Coming(source, reports, 0))
        self.catch_up(now)
        if self._coming and self._coming[-1].reports is reports:
            last = self._coming.pop()
            copied = Reports(reports.folios.copy(), reports.ends.copy(), reports.stamps.copy())
            self._coming.append(last._replace(reports=copied))
        return Hot(NEVER, self._latency[:0])

    def catch_up(self, now: int) -> None:
        """Record what has been handed on by `now` ns."""
        size = self.records.itemsize
        while self._coming:
            source, some, run = self._coming[0]
            run, nr = _note[size](
                self._memory, self._targets, self.records, self._ready, self._sections, self._wake,
                self._layout, self._rules, some, run, now,
            )  # fmt: skip
            self.recorded[source] = self.recorded.get(source, 0) + int(nr)
            if run < some.ends.size:
                self._coming[0] = _Coming(source, some, int(run))
                break
            self._coming.popleft()

    def heat_of(self, folios: NDArray[np.int64], now_ms: int) -> NDArray[np.float64]:  # noqa: ARG002 - stays until the next report
        """See Counting: the field of frequency."""
        layout = self._layout
        freq = (self.records[folios] >> layout.freq_shift) & layout.freq_max
        return freq.astype(np.float64)

    def wakes(self, nid: int, now: int) -> bool:
        """Whether a folio of the node became ready since its kmigrated began to walk."""
        self.catch_up(now)
        return bool(self._wake[nid])

    def begin(self, nid: int) -> NDArray[np.int64]:
        """A walk over the node begins: i64[2], where it is."""
        self._wake[nid] = False
        return np.zeros(2, np.int64)

    def due(
        self, nid: int, cursor: NDArray[np.int64], clock: int, until: int, each_ns: float, most: int
    ) -> tuple[Hot, int]:
        """(up to `most` ready folios of one section of the node, the clock after looking).

        each_ns: time that a lower-tier folio of a hot section takes. The cursor moves on.
        """
        self.catch_up(clock)
        most = min(most, MOST_TAKEN)
        n, runs, clock = _take[self.records.itemsize](
            self._memory, self.records, self._ready, self._sections, self._layout, nid, cursor,
            clock, until, each_ns, most, self._found, self._latency, self._heat,
        )  # fmt: skip
        nr = int(n)
        found = self._found.first(nr, int(runs))
        return Hot(found, self._latency[:nr], self._heat[:nr]), int(clock)

    def forget(self, mm: int) -> None:
        """See Hotness; reports on their way are lost too."""
        for granule in np.flatnonzero(self._memory.mm == mm).tolist():
            self.records[granule * GRANULE : (granule + 1) * GRANULE] = 0
        self._ready[self._memory.mm == mm] = 0
        for at, coming in enumerate(self._coming):
            self._coming[at] = coming._replace(reports=self._without(coming.reports, mm))

    def _without(self, some: Reports, mm: int) -> Reports:
        """The same runs, those of a process empty."""
        sizes = np.diff(some.ends, prepend=0)
        firsts = np.minimum(some.ends - sizes, max(some.folios.size - 1, 0))
        gone = (sizes > 0) & (self._memory.mm[some.folios[firsts] // GRANULE] == mm)
        folios = some.folios[np.repeat(~gone, sizes)]
        return Reports(folios, np.cumsum(np.where(gone, 0, sizes)), some.stamps)

    def _as_rules(self) -> Rules:
        return Rules(self.knobs.freq_threshold, self.knobs.promote_freq_window_ms)

    def retune(self, name: str, value: Any) -> None:
        """Apply a live knob."""
        self.knobs = self.knobs._replace(**{name: value})
        self._rules = self._as_rules()
