"""Visit pass: folios a second through the scan loop, in vector code and in portable code."""

from collections.abc import Callable
from functools import partial

import numpy as np

from tiering.cli.bench_load import Rate, bench_scenario
from tiering.cli.measure import Figure, best, rewrite_rate
from tiering.engine.flow import Pace
from tiering.engine.reports import reports
from tiering.engine.touch import scratch
from tiering.engine.vectors import ENABLED, FEATURES
from tiering.simulation.loop import NS_PER_S, Simulation
from tiering.sources.pte_knobs import PteScan
from tiering.sources.pte_state import rules
from tiering.sources.pte_walk import NR_COUNTS, TABLE, KnownVma, walk

CACHED_MIB = 8192  # the folio array of so much is small enough for caches
TARGETS = {True: 2000.0, False: 600.0}
REPEATS = 40  # a pass is over in a few milliseconds
SIZES = {"uniform_8g": ("uniform", 8192), "zipf_8g": ("zipf", 8192), "zipf_64g": ("zipf", 65536)}


def _visit(pattern: str, size_mib: int, vector: bool) -> Figure:
    """Folio visits a second of the scan loop over memory that is all on the slow tier."""
    changes = {"processes.0.vmas.0.node": "CXL", "processes.0.vmas.0.pattern": pattern}
    world = Simulation(bench_scenario(1, size_mib, Rate(0.5, 1.0), 1.0, changes), 1).world
    speed = world.nr_folios.sum() / 2 / NS_PER_S  # every other folio touched in a second
    found, buffers, at = reports(32 * 8192, 4096), scratch(vector and ENABLED), [0]
    free = rules(PteScan(pte_slow_ns=0.0, pte_top_ns=0.0))
    known = KnownVma(
        present=TABLE, shared=False, split=np.zeros(world.memory.nr.size, np.int32),
        counts=np.zeros(NR_COUNTS, np.int64), seen=np.zeros(0, np.int64),
    )  # fmt: skip
    pace = Pace(np.zeros(2, np.int64), np.zeros(1), np.array([speed]), np.array([np.inf]))

    def work() -> float:
        granule, visited = 0, 0
        at[0] += NS_PER_S
        while granule < world.memory.nr.size:
            granule, _, _, _, scanned = walk(
                world.memory, world.rates, buffers, granule, world.memory.nr.size, at[0], 2**62,
                pace, free, known, 2**62, found, 0, 0,
            )  # fmt: skip
            visited += scanned
        return float(visited)

    rate = best(work, REPEATS)
    return Figure(
        rate / 1e6, "M folios/s", code_name(buffers.vector, wanted=vector and ENABLED),
        f"{rate / rewrite_rate():.3f} of the rewrite limit",
        target=TARGETS[vector] if size_mib > CACHED_MIB else None,
    )  # fmt: skip


def code_name(vector: bool, wanted: bool) -> str:
    """Which code ran, and why no vector code if it was wanted."""
    if vector:
        return "AVX-512"
    return f"portable code, no {', '.join(FEATURES)} here" if wanted else "portable code"


VISITS: dict[str, Callable[[], Figure]] = {
    f"visit_pass_{name}{suffix}": partial(_visit, *size, vector)
    for name, size in SIZES.items()
    for suffix, vector in (("", True), ("_portable", False))
}
