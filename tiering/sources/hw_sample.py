"""Hardware samples: IBS, PEBS and their like (docs/model.md#hardware-samples).

The CPU notes one access in so many with its address, filtered by its latency, and interrupts the
task; a thread hands on every `drain_ms` what lies in the buffer. Samples of the top tier are
dropped there. The loops are in hw_draw.py. Not modelled: samples that are not memory accesses,
skid, accesses that caches absorb (here every access reaches memory), one buffer per CPU.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiering.engine.flow import Flow, Pace
from tiering.engine.folios import SLOW, Memory
from tiering.engine.jit import Direct
from tiering.engine.random import stream_key
from tiering.engine.reports import Reports, in_runs
from tiering.engine.touch import Rates
from tiering.sources.hw_draw import Heat, count_classes, sample
from tiering.sources.hw_knobs import HwSample
from tiering.sources.source import Step

NS_PER_MS = 1_000_000
SALT = 0x1B5
_sample = Direct(sample)


class HwSampler:
    """The sampler and the thread that drains it; a Source."""

    stalls: ClassVar[bool] = True

    def __init__(
        self, knobs: HwSample, memory: Memory, rates: Rates, flow: Flow, seed: int
    ) -> None:
        """flow: of the run; its stalls take the time of the interrupts."""
        self.knobs = knobs
        self._memory, self._rates, self._flow, self._seed = memory, rates, flow, seed
        self._dilation = 1.0
        self._due = knobs.drain_ms * NS_PER_MS
        self._drains = self.taken = self.lost = self.useful = 0
        self._tau = flow.tau.copy()
        self.heat = heat_of(memory, rates)
        self._out = np.zeros(knobs.buffer_nr, np.uint32)
        self.reports: Reports = in_runs(self._out[:0])
        self.passes: NDArray[np.int64] = np.zeros((0, 3), np.int64)
        self.events: list[dict[str, Any]] = []

    @property
    def counters(self) -> dict[str, int]:
        """See Source."""
        return {"hw_samples": self.taken, "hw_samples_lost": self.lost}

    def columns(self) -> dict[str, NDArray[Any]]:
        """See Source: it knows no mms."""
        return {}

    def run(self, thread: int, clock: int, until: int, pace: Pace, stops: bool) -> Step:  # noqa: ARG002 - one thread, one drain a step
        """See Source; a step ends with a drain that found something."""
        busy, found = 0, self._out[:0]
        while clock < until and found.size == 0:
            clock = max(min(self._due, until), clock)
            if clock < self._due:
                break
            found, taken = self._drain(pace)
            spent = round(taken * self.knobs.sample_ns * self._dilation)
            clock, busy = clock + spent, busy + spent
            self._due = max(self._due + self.knobs.drain_ms * NS_PER_MS, clock)
        self.reports = in_runs(found, clock)
        return Step(clock, busy, found.size, found.size > 0)

    def rest(self, thread: int, clock: int, until: int) -> tuple[int, int]:  # noqa: ARG002 - one
        """See Source."""
        return max(min(self._due, until), clock), 0

    def dilate(self, slow: float) -> None:
        """See Source."""
        self._dilation = slow

    def enter(self, mm: int, now: int) -> None:  # noqa: ARG002 - work time counts
        """Its samples begin with its life."""
        self._tau[mm] = self._flow.tau[mm]

    def leave(self, mm: int) -> None:
        """What is not drained is lost with its memory."""
        self._tau[mm] = np.inf

    def retune(self, name: str, value: Any, now: int) -> None:
        """See Source."""
        self.knobs = self.knobs._replace(**{name: value})
        if name == "drain_ms":
            self._due = min(self._due, now + value * NS_PER_MS)

    def _drain(self, pace: Pace) -> tuple[NDArray[np.uint32], int]:
        """(slow-tier folios sampled, each once and in order; samples taken)."""
        flow, knobs = self._flow, self.knobs
        passes = flow.latency >= knobs.latency_min_ns
        after = max(self._due - int(pace.at[0]), 0)
        self._drains += 1
        n = lost = 0
        for mm in np.flatnonzero(np.isfinite(self._tau)).tolist():
            tau = min(pace.tau[mm] + after * pace.speed[mm], pace.work[mm])
            window = float(self._tau[mm]), float(max(tau, self._tau[mm]))
            self._tau[mm] = window[1]
            key = stream_key(self._seed, SALT, mm, self._drains)
            before = n
            n, gone = _sample(
                self._memory, self._rates, self.heat, mm, window, float(knobs.sample_period),
                passes, key, self._out, n,
            )  # fmt: skip
            lost += gone
            flow.stall_ns[mm] += (n - before + gone) * knobs.interrupt_ns
        self.taken += n
        self.lost += lost
        if lost:
            text = f"hw_sample: buffer full, {lost} samples lost"
            self.events.append({"t_ns": self._due, "kind": "log", "text": text})
        taken = self._out[:n]
        slow = taken[self._memory.folio[taken] & np.uint32(SLOW) != 0]
        self.useful += slow.size
        return np.unique(slow), n


def heat_of(memory: Memory, rates: Rates) -> Heat:
    """Classes counted, weights not worked out yet."""
    nr_p = rates.row_at.size
    mms = np.arange(nr_p)
    width = memory.rows.astype(np.int64)
    heat = Heat(
        first=np.searchsorted(memory.mm, mms, "left").astype(np.int64),
        end=np.searchsorted(memory.mm, mms, "right").astype(np.int64),
        at=np.cumsum(width) - width,
        counts=np.zeros(int(width.sum()), np.int32),
        weight=np.zeros(memory.nr.size),
        phase=np.full(nr_p, -1, np.int64),
    )
    count_classes(memory, heat)
    return heat
