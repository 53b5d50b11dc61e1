"""CHMU: the memory device counts accesses and lists its hot units (docs/model.md#chmu).

A thread reads the lists of all slow nodes at the end of every epoch. The device sees physical
addresses and its own traffic only: no process, no virtual address, nothing of the top tier. The
loops are in chmu_list.py and, for a unit that is always on, in chmu_always.py. Not modelled: the
interrupt of a full list; trusted and other hosts.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiering.engine.flow import Pace
from tiering.engine.folios import FOLIO_BYTES, GRANULE, Memory
from tiering.engine.jit import Direct
from tiering.engine.reports import Reports, reports
from tiering.engine.touch import MAX_ROWS, Rates, Scratch
from tiering.sources.chmu_always import BINS
from tiering.sources.chmu_knobs import Chmu
from tiering.sources.chmu_list import read_lists
from tiering.sources.chmu_unit import CURSOR, DUE, LISTED, LOST, NR_AT, Rules, Unit
from tiering.sources.source import Step

NS_PER_MS = 1_000_000
PAGE_SHIFT = 12
BUFFER_GRANULES = 32
RANGE_MIB = 256
"""MiB of device addresses that a bit of the range stands for."""
RANGE_GRANULES = RANGE_MIB * 2**20 // (GRANULE * FOLIO_BYTES)
EVERYTHING = 2**62

_read_lists = Direct(read_lists)


class ChmuReader:
    """The thread that reads hot lists; a Source."""

    stalls: ClassVar[bool] = False

    def __init__(
        self,
        knobs: Chmu,
        memory: Memory,
        rates: Rates,
        scratch: Scratch,
        slow: NDArray[np.uint8],
        tau: NDArray[np.float64],
        write_share: NDArray[np.float64] | None = None,
    ) -> None:
        """slow: u8[N], nodes that have a unit. tau: f64[P], work time now, of the run. write_share:
        f64[P] of the accesses of each process; None: nobody writes."""
        self.knobs = knobs
        self._memory, self._rates, self._scratch, self._slow = memory, rates, scratch, slow
        self._tau = tau
        self._dilation = 1.0
        writes = np.zeros(tau.size) if write_share is None else write_share
        parts = {"both": np.ones(tau.size), "reads": 1.0 - writes, "writes": writes.copy()}
        self._part = parts[knobs.access_type]
        self._rules = self._as_rules()
        nr_p = tau.size
        self.unit = _unit(memory, tau, slow, knobs.epoch_type == "always_on")
        self.unit.at[DUE] = self._rules.epoch_ns
        self.unit.at[CURSOR] = -1
        self._found = reports(BUFFER_GRANULES * GRANULE, 4096)
        self._passes = np.zeros((nr_p, 3), np.int64)
        self._passes[:, 0] = np.arange(nr_p)
        self._lost = 0
        self.reports: Reports = self._found.first(0, 0)
        self.passes: NDArray[np.int64] = self._passes[:0]
        self.events: list[dict[str, Any]] = []

    @property
    def counters(self) -> dict[str, int]:
        """See Source."""
        return {"chmu_listed": int(self.unit.at[LISTED]), "chmu_lost": int(self.unit.at[LOST])}

    def columns(self) -> dict[str, NDArray[Any]]:
        """See Source: it knows no mms."""
        return {}

    def run(
        self,
        thread: int,  # noqa: ARG002 - there is one
        clock: int,
        until: int,
        pace: Pace,
        stops: bool,
    ) -> Step:
        """See Source; an epoch is a full look at every mm."""
        clock, busy, nr, nr_runs, nr_ended, ended = _read_lists(
            self._memory, self._rates, self._scratch, self._slow, self.unit, self._rules, clock,
            until, pace, self._found, stops,
        )  # fmt: skip
        self.reports = self._found.first(nr, nr_runs)
        self.passes = self._passes if nr_ended else self._passes[:0]
        self.passes[:, 1], self.passes[:, 2] = self._rules.epoch_ns, nr
        lost = int(self.unit.at[LOST])
        if nr_ended and lost > self._lost:
            text = f"chmu: hot list full, {lost - self._lost} entries lost"
            self.events.append({"t_ns": int(clock), "kind": "log", "text": text})
            self._lost = lost
        return Step(int(clock), int(busy), int(nr), bool(ended))

    def rest(self, thread: int, clock: int, until: int) -> tuple[int, int]:  # noqa: ARG002 - one
        """See Source."""
        at = self.unit.at
        if at[CURSOR] < 0 and clock < at[DUE]:
            return int(min(at[DUE], max(until, clock))), 0
        return clock, 0

    def dilate(self, slow: float) -> None:
        """See Source."""
        self._dilation = slow
        self._rules = self._as_rules()

    def enter(self, mm: int, now: int) -> None:  # noqa: ARG002 - work time counts
        """What an mm did in an earlier life is not counted."""
        self.unit.begin[mm] = self.unit.end[mm] = self._tau[mm]

    def leave(self, mm: int) -> None:
        """The device knows no processes: there is nothing to do."""

    def retune(self, name: str, value: Any, now: int) -> None:  # noqa: ARG002 - from now on
        """See Source; the length of an epoch changes with the next one."""
        self.knobs = self.knobs._replace(**{name: value})
        self._rules = self._as_rules()

    def _as_rules(self) -> Rules:
        knobs = self.knobs
        return Rules(
            knobs.epoch_ms * NS_PER_MS, knobs.hotness_threshold, knobs.downsampling_factor,
            1 << (knobs.hotness_granual - PAGE_SHIFT), knobs.nr_counters, knobs.hotlist_max,
            knobs.entry_ns * self._dilation, knobs.epoch_type == "always_on", self._part,
            *granules_in(knobs),
        )  # fmt: skip


def granules_in(knobs: Chmu) -> tuple[int, int]:
    """First granule of the range and the one behind its end: 256 MiB that it touches are in it."""
    if not knobs.range_size_mib:
        return 0, EVERYTHING
    end = -(-(knobs.range_base_mib + knobs.range_size_mib) // RANGE_MIB)
    return knobs.range_base_mib // RANGE_MIB * RANGE_GRANULES, end * RANGE_GRANULES


def _unit(memory: Memory, tau: NDArray[np.float64], slow: NDArray[np.uint8], always: bool) -> Unit:
    """Counters at 0. always: whether each unit of memory has one of its own."""
    nr_n, nr_slow = slow.size, int((slow != 0).sum()) if always else 0
    return Unit(
        at=np.zeros(NR_AT, np.int64),
        begin=tau.copy(),
        end=tau.copy(),
        entries=np.zeros(nr_n, np.int64),
        counting=np.ones(nr_n),
        expected=np.zeros(MAX_ROWS),
        inside=np.zeros(memory.resident.shape[0], np.int64),
        counters=np.zeros((nr_slow, memory.folio.size), np.uint32),
        held=np.zeros((nr_slow, memory.nr.size), np.int32),
        total=np.zeros(nr_slow, np.int64),
        bins=np.zeros(BINS, np.int64),
        mode=np.zeros(MAX_ROWS, np.int64),
        peak=np.zeros(MAX_ROWS),
    )
