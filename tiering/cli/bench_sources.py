"""Folios a second through each source, by itself: nothing is remembered, promoted or migrated.

Time passes for processes at their speed of the begin, and the source does what it does in some
simulated seconds, with knobs as declared but for what the load of `bench` says.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from tiering.cli.bench_load import Rate, bench_scenario
from tiering.cli.measure import Figure
from tiering.simulation.loop import NS_PER_S, Simulation
from tiering.simulation.scenario import FOLIOS_PER_MIB
from tiering.sources.table import SOURCES

MIB = 8192
SIMULATED_S = 10
REPEATS = 3
TICK_NS = 10_000_000
ALL_SLOW = {"processes.0.vmas.0.node": "CXL"}
OWN: dict[str, dict[str, Any]] = {
    "page_cache_access": {
        "processes.0.vmas.0.kind": "page_cache",
        "page_cache_access.pagecache_promotion_enabled": True,
    },
}
"""What a source needs beside that to find anything."""
PREFIX = "source_"


class Measured(NamedTuple):
    """Seconds of CPU time; folios whose accessed bits were looked at, folios of the full looks that
    ended by other means, and folios reported."""

    seconds: float
    looked: int
    watched: int
    reported: int


def _figure(source: str) -> Figure:
    _run(source, 1)  # so that nothing compiles while it is measured
    one = min(_run(source, SIMULATED_S) for _ in range(REPEATS))
    kinds = {
        "whose accessed bits were looked at": one.looked,
        "of full looks": one.watched,
        "reported": one.reported,
    }
    what, nr = next((what, nr) for what, nr in kinds.items() if nr or what == "reported")
    note = (
        f"{what}; {SIMULATED_S / one.seconds:.3g} simulated s / s, "
        f"{one.reported / SIMULATED_S / 1e6:.3g} M reports a simulated s"
    )
    return Figure(nr / one.seconds / 1e6, "M folios/s", note)


def _run(name: str, simulated_s: int) -> Measured:
    changes = ALL_SLOW | OWN.get(name, {}) | {"rooms.sources": [name]}
    scenario = bench_scenario(1, MIB, Rate(1.0, 1.0), 1.0, changes)
    simulation = Simulation(scenario, 1)
    source, pace = simulation.sources[name], simulation.progress.pace
    memory = simulation.world.memory
    before, passes, reported, clock = memory.looks.copy(), 0, 0, 0
    begin = time.process_time()
    while clock < simulated_s * NS_PER_S:
        until = (clock // TICK_NS + 1) * TICK_NS
        step = source.run(0, clock, until, pace, False)
        clock = source.rest(0, step.clock, simulated_s * NS_PER_S)[0]
        reported += step.nr_reports
        passes += source.passes.shape[0]
    seconds = time.process_time() - begin
    looked = int(((memory.looks - before) * memory.nr).sum())
    return Measured(seconds, looked, passes * MIB * FOLIOS_PER_MIB, reported)


BY_SOURCE: dict[str, Callable[[], Figure]] = {
    f"{PREFIX}{name}": partial(_figure, name) for name in SOURCES
}
