"""What migrate_hot and migrate_cold have in common (docs/model.md#damos)."""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.damon_region import Regions, count_frames
from tiering.engine.damos_quota import adjust_quota
from tiering.engine.damos_state import (
    ESZ,
    NR_APPLIED,
    NR_TRIED,
    QT_EXCEEDS,
    SZ_TRIED,
    TOTAL_NS,
    US_PER_MS,
    Scheme,
    scheme,
    scheme_row,
    scheme_rules,
)
from tiering.engine.damos_walk import begin
from tiering.engine.flow import Pace
from tiering.engine.folios import FOLIO_BYTES, Memory
from tiering.engine.jit import Direct, loop
from tiering.engine.reports import Reports
from tiering.engine.scheme_table import APPLY_US
from tiering.engine.touch import Rates, Scratch

NO_BOUND = 2**52
"""Quotas are told up to here, whole numbers that a float64 can hold."""


class Tempo(NamedTuple):
    """Intervals of a kdamond in force: aggregation and sampling, us; samples of an aggregation."""

    aggr_us: int
    sample_us: int
    samples: int


@loop
def begin_scheme(memory, regions, one, now, aggr_us, samples, nid, capacity):  # type: ignore[no-untyped-def]
    """The quota is looked at, then the scheme is applied from the first region on."""
    count_frames(memory, regions)
    adjust_quota(
        regions, one.rules, one.state, one.histogram, now, aggr_us, samples, memory.free[nid],
        capacity,
    )  # fmt: skip
    begin(regions, one.state)


_begin_scheme = Direct(begin_scheme)


class Damos(ABC):
    """A scheme of a kdamond. one: its rules and state. row: i64[NR_FIELDS], see scheme_table.py."""

    def __init__(self, hot: bool, knobs: Any, memory: Memory, nid: int, capacity: int) -> None:
        """knobs: the NamedTuple of them. nid, capacity: node that the goal is about, its pages."""
        self.knobs, self._hot, self._memory = knobs, hot, memory
        self._nid, self._capacity, self._slow = nid, capacity, 1.0
        self.one: Scheme = scheme(scheme_rules(hot, knobs._asdict()))
        self.row: NDArray[np.int64] = scheme_row(knobs._asdict())

    @property
    def name(self) -> str:
        """What it moves: hot or cold regions."""
        return "hot" if self._hot else "cold"

    @property
    @abstractmethod
    def applied(self) -> int:
        """Pages that it moved."""

    @property
    def counters(self) -> dict[str, int]:
        """What it counted, by metric name: the kernel's names behind those of the scheme."""
        state, name = self.one.state, f"damos_{self.name}"
        return {
            f"{name}_nr_tried": int(state[NR_TRIED]),
            f"{name}_sz_tried": int(state[SZ_TRIED]),
            f"{name}_nr_applied": int(state[NR_APPLIED]),
            f"{name}_sz_applied": self.applied * FOLIO_BYTES,
            f"{name}_qt_exceeds": int(state[QT_EXCEEDS]),
        }

    @property
    def effective_bytes(self) -> int:
        """Quota in force; 0 where there is none."""
        return min(int(self.one.state[ESZ]), NO_BOUND)

    def begin(self, regions: Regions, tempo: Tempo, now: int) -> None:
        """It is to be applied to these regions, from `now` ns on."""
        _begin_scheme(
            self._memory, regions, self.one, now, tempo.aggr_us, tempo.samples, self._nid,
            self._capacity,
        )  # fmt: skip

    @abstractmethod
    def act(
        self, rates: Rates, scratch: Scratch, regions: Regions, tempo: Tempo, clock: int,
        until: int, pace: Pace,
    ) -> tuple[int, Reports, bool]:  # fmt: skip
        """Go on with the application that has begun, until the clock passes `until`: (clock,
        candidates for promotion, whether it is done)."""

    def spend(self, ns: int) -> None:
        """Time that moving folios took, by which time quotas are turned into bytes."""
        self.one.state[TOTAL_NS] += ns

    def dilate(self, slow: float) -> None:
        """A ns of CPU takes `slow` ns of the clock."""
        if slow != self._slow:
            self._slow = slow
            self._take_rules()

    def retune(self, name: str, value: Any) -> None:
        """Apply a live knob."""
        self.knobs = self.knobs._replace(**{name: value})
        self._take_rules()

    def _take_rules(self) -> None:
        self.row[APPLY_US] = self.knobs.apply_interval_ms * US_PER_MS
        rules = scheme_rules(self._hot, self.knobs._asdict(), self._slow)
        self.one = self.one._replace(rules=rules)
