"""Pro-active demotion: a thread of each top-tier node lets those sink that nobody touches.

    every interval_ms: look at all folios of the node; who was not touched for idle_ms sinks,
    the oldest first, until head_room_pct of the node is free

The idle side of memtierd's age policy (IdleDurationMs, IntervalMs; its mover's bandwidth), and with
a small head-room what a daemon does that writes to memory.reclaim or runs HMSDK's cold scheme. The
loops are in engine/coldest.py. Not modelled: cgroups, regions of many pages.
"""

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.coldest import Ages, Cold, ages
from tiering.engine.folios import FOLIO_BYTES, Memory
from tiering.model.knobs import Knob

NS_PER_S = 1e9
MIB = 1 << 20
MOST_INTERVALS = 200
"""Idle time counts up to so many intervals."""


class ColdestFirst(NamedTuple):
    """Knobs of pro-active demotion."""

    interval_ms: Annotated[
        int,
        Knob("ms", 100, 600_000, "Time between the begins of two walks over a node.",
             "memtierd: ScanIntervalMs, IntervalMs 5000", live=True),
    ] = 5000  # fmt: skip
    idle_ms: Annotated[
        int,
        Knob("ms", 100, 36_000_000, "Not touched for so long a folio may sink; in whole intervals.",
             "memtierd: IdleDurationMs 15000", live=True),
    ] = 15_000  # fmt: skip
    head_room_pct: Annotated[
        float,
        Knob("%", 0, 100, "Part of the node that is free when nobody more sinks; 100 = whoever is "
             "idle does.", "memtierd: 100", live=True),
    ] = 100.0  # fmt: skip
    rate_mib_s: Annotated[
        int,
        Knob("MiB/s", 0, 1_048_576, "Most that is demoted in a second; 0 = as fast as it goes.",
             "memtierd: Bandwidth 200 MB/s", live=True),
    ] = 0  # fmt: skip
    look_ns: Annotated[
        float, Knob("ns", 0, 100_000, "Looking at one folio by its reverse map.", "assumption")
    ] = 250.0


def cold(knobs: ColdestFirst, capacity: int, slow: float) -> Cold:
    """The knobs as the loop takes them, where a ns of CPU takes `slow` ns. capacity: pages of the
    node."""
    least = min(-(-knobs.idle_ms // knobs.interval_ms), MOST_INTERVALS)
    page_ns = FOLIO_BYTES * NS_PER_S / (knobs.rate_mib_s * MIB) if knobs.rate_mib_s else 0.0
    wanted = round(capacity * knobs.head_room_pct / 100)
    return Cold(least, wanted, knobs.look_ns * slow, page_ns)


class Coldest:
    """Ages of all folios. pages: i64[1] that sank because of them."""

    def __init__(self, knobs: ColdestFirst, memory: Memory) -> None:
        self.knobs = knobs
        self.ages: Ages = ages(memory)
        self.pages: NDArray[np.int64] = np.zeros(1, np.int64)

    def retune(self, name: str, value: Any) -> None:
        """Apply a live knob; a sleep that has begun is as long as it was."""
        self.knobs = self.knobs._replace(**{name: value})
