"""What every memory of reports is to the run."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tiering.engine.reports import UNCOUNTED, Reports

NEVER = Reports(np.zeros(0, np.uint32), np.zeros(0, np.int64), np.zeros(0, np.int64))
"""Nothing is hot."""


class Hot(NamedTuple):
    """folios: hot ones. latency_ms: i64[n] time from the last report of each, or what
    the source knows of it (see Reports), empty if unknown. heat: i64[n] reports of each as the
    memory counts them, empty if it does not."""

    folios: Reports
    latency_ms: NDArray[np.int64]
    heat: NDArray[np.int64] = UNCOUNTED


class Hotness(Protocol):
    """Takes reports; what is hot it gives back at once, or keeps until it is asked for."""

    @property
    def counters(self) -> dict[str, int]:
        """What it counted, by metric name."""

    def record(self, reports: Reports, now: int, source: str) -> Hot:
        """Remember reports that a source hands on, at their stamps; now: ns, no later than any
        clock. Returns folios that are hot at once."""

    def forget(self, mm: int) -> None:
        """The folios of a process are freed."""

    def retune(self, name: str, value: Any) -> None:
        """Apply a live knob."""


@runtime_checkable
class Counting(Protocol):
    """A memory that knows how often a folio was reported."""

    def heat_of(self, folios: NDArray[np.int64], now_ms: int) -> NDArray[np.float64]:
        """Reports of each of the folios as the memory counts them at that time; changes nothing."""
