"""What a simulated second costs: CPU time over folios visited, and over accesses made.

Visits alone: processes of 1 GiB on the slow node, each visited whole once a second, with a queue of
one folio, so that nearly nothing moves. Folios: more and more such processes. Accesses: eight of
them at rates from idle to absurd, and once more with promotion and demotion.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.cli.bench_load import Rate, bench_scenario
from tiering.cli.bench_speed import compile_loops, simulate
from tiering.cli.measure import Figure
from tiering.simulation.loop import NS_PER_S, Simulation
from tiering.simulation.scenario import FOLIOS_PER_MIB, Scenario

Floats = NDArray[np.float64]
MM_MIB = 1024
NRS_OF_MMS = (1, 8, 16, 24, 32, 48, 64)
BASE_MMS = 8
TOUCHES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 1e2, 1e3)
FOLIO_VISITS = 12e6  # a point: long enough to measure
REPEATS = 3
EVERY_SECOND = {
    "pte_scan.scan_period_ms": 1000,
    "pte_scan.scan_period_min_ms": 1000,
    "pte_scan.scan_period_max_ms": 1000,
    "sample_ms": 1000,
}
FAST_NODES = {f"nodes.{nid}.{way}_gb_s": 100_000.0 for nid in (0, 1) for way in ("read", "write")}
VISITS_ALONE = {"processes.0.vmas.0.node": "CXL", "migration.queue_max": 1}
MIGRATE_GB_S = 0.2


class Point(NamedTuple):
    """Of one simulated second: folios visited, accesses made, folios promoted, folios that kswapd
    looked at, CPU time."""

    nr_visited: float
    nr_accesses: float
    nr_promoted: float
    nr_reclaim_scanned: float
    cpu_ms: float


def _point(nr_mms: int, touches: float, changes: dict[str, Any]) -> Point:
    """The cheapest of a few runs; other work on the machine makes them dearer."""
    per_s = nr_mms * MM_MIB * FOLIOS_PER_MIB
    until_s = float(min(max(FOLIO_VISITS // per_s, 3), 30))
    rate = Rate(touches, MIGRATE_GB_S)
    scenario = bench_scenario(nr_mms, MM_MIB, rate, until_s, EVERY_SECOND | FAST_NODES | changes)
    return min((_once(scenario) for _ in range(REPEATS)), key=lambda one: one.cpu_ms)


def _once(scenario: Scenario) -> Point:
    simulation = Simulation(scenario, 1)
    seconds = simulate(simulation)
    result, simulated = simulation.result(), simulation.time_ns / NS_PER_S
    return Point(
        result["metrics"]["nr_scanned"] / simulated,
        result["counters"]["accesses"] / simulated,
        result["counters"]["pgpromote_success"] / simulated,
        result["counters"]["reclaim_scanned"] / simulated,
        seconds / simulated * 1e3,
    )


@cache
def by_folios() -> list[Point]:
    """Points of growing machines."""
    compile_loops()
    return [_point(nr, 1.0, VISITS_ALONE) for nr in NRS_OF_MMS]


@cache
def by_accesses(promoting: bool) -> list[Point]:
    """Points of one machine at growing rates."""
    compile_loops()
    changes = {} if promoting else VISITS_ALONE
    return [_point(BASE_MMS, touches, changes) for touches in TOUCHES]


def folios_fit() -> tuple[Floats, Floats, Floats]:
    """Folios visited and ms of CPU time, f64[points] each, and the straight line through them:
    slope and height at 0."""
    visited = np.array([one.nr_visited for one in by_folios()])
    cost = np.array([one.cpu_ms for one in by_folios()])
    return visited, cost, np.polyfit(visited, cost, 1)


def _cost_by_folios() -> Figure:
    visited, cost, (slope, _) = folios_fit()
    fit = float(np.corrcoef(visited, cost)[0, 1] ** 2)
    note = (
        f"slope over {visited[0] / 1e6:.2f} .. {visited[-1] / 1e6:.1f} M folios a simulated s, "
        f"r2 = {fit:.4f}"
    )
    return Figure(slope * 1e6, "ns a folio visited", note)


def _cost_by_accesses() -> Figure:
    points, moving = by_accesses(promoting=False), by_accesses(promoting=True)
    more = points[-1].nr_accesses / points[0].nr_accesses
    looks = moving[-1].nr_reclaim_scanned / moving[0].nr_reclaim_scanned
    note = (
        f"CPU time of {more:.0e} times the accesses over that of "
        f"{points[0].nr_accesses:.0f} a simulated s; {_growth(moving):.2g} x with promotion and "
        f"demotion, where kswapd looks at {looks:.2g} x as many folios"
    )
    return Figure(_growth(points), "x", note)


def _growth(points: list[Point]) -> float:
    return points[-1].cpu_ms / points[0].cpu_ms


COSTS: dict[str, Callable[[], Figure]] = {
    "cost_by_folios": _cost_by_folios,
    "cost_by_accesses": _cost_by_accesses,
}
