"""Speeds of simulations: simulated seconds per second of CPU time on one core.

Measured from the begin of a run, its hardest part; building and first touch come before and are
told apart. The ratio is to a run that does nothing but rewrite each folio it visits, at the
sequential limit, and each folio it moves, at the random one; both in an array of the size of the
folio array, up to 256 MiB.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from tiering.cli.bench_load import LIGHT, ONE_KTHREAD, THRASH, Rate, bench_scenario
from tiering.cli.bench_visit import code_name
from tiering.cli.measure import MOST_MIB, Figure, rewrite_rate, scatter_rate
from tiering.engine.vectors import ENABLED
from tiering.simulation.loop import NS_PER_S, Simulation

SEED = 1
FOLIO_SHARE = 1024  # of memory: a u32 for 4 KiB
ONE_VMA = {"processes.0.vmas.0.split_mib": 0.0}
RARE_ROWS = {"sample_ms": 1000}


class Case(NamedTuple):
    """A load to simulate. until_s: long enough to be representative. target: simulated s per s."""

    nr_mms: int
    mm_mib: int
    rate: Rate
    until_s: float
    target: float | None = None
    changes: dict[str, Any] = {}  # noqa: RUF012 - nobody writes to it
    vector: bool = True
    repeats: int = 1


class Measured(NamedTuple):
    """One run: seconds of CPU time to build and to simulate, and what it did."""

    build_s: float
    run_s: float
    simulated_s: float
    nr_scanned: int
    nr_promoted: int
    nr_demoted: int
    vector: bool


CASES = {
    "8g_1mm_thrash": Case(1, 8192, THRASH, 60.0, 1000.0, repeats=3),
    "8g_1mm_light": Case(1, 8192, LIGHT, 120.0, 2500.0, repeats=3),
    "8g_1mm_thrash_portable": Case(1, 8192, THRASH, 60.0, 300.0, vector=False, repeats=3),
    "8g_1mm_light_portable": Case(1, 8192, LIGHT, 120.0, 600.0, vector=False, repeats=3),
    "8g_1mm_light_1s_rows": Case(1, 8192, LIGHT, 120.0, changes=RARE_ROWS, repeats=3),
    "8g_1mm_light_one_vma": Case(1, 8192, LIGHT, 60.0, changes=ONE_VMA, repeats=3),
    "256g_64mm_thrash": Case(64, 4096, THRASH, 20.0, 30.0, repeats=3),
    "256g_64mm_light": Case(64, 4096, LIGHT, 20.0, 45.0, repeats=3),
    "256g_64mm_light_one_vma": Case(64, 4096, LIGHT, 10.0, changes=ONE_VMA, repeats=2),
    "1t_1000mm_1kthread_thrash": Case(1000, 1024, THRASH, 10.0, 35.0, ONE_KTHREAD, repeats=2),
    "1t_1000mm_1kthread_light": Case(1000, 1024, LIGHT, 10.0, 45.0, ONE_KTHREAD, repeats=2),
    "256g_10000mm_1kthread_light": Case(
        10_000, 26, LIGHT, 10.0, 30.0, ONE_KTHREAD | RARE_ROWS, repeats=2
    ),
}


def measure(case: Case) -> Measured:
    """The fastest of the case's repeats; compiled loops are there already."""
    compile_loops(case.vector and ENABLED)
    runs = [_once(case) for _ in range(case.repeats)]
    return min(runs, key=lambda one: one.run_s / one.simulated_s)


def compile_loops(vector: bool = ENABLED) -> None:
    """Simulate a second of a small load, so that nothing compiles while it is measured."""
    simulate(Simulation(bench_scenario(1, 1024, THRASH, 1.0), SEED, vector))


def simulate(simulation: Simulation) -> float:
    """Run to the end; returns the seconds of CPU time of this process."""
    begin = time.process_time()
    while not simulation.done:
        simulation.next_block()
    return time.process_time() - begin


def _once(case: Case) -> Measured:
    scenario = bench_scenario(case.nr_mms, case.mm_mib, case.rate, case.until_s, case.changes)
    begin = time.process_time()
    simulation = Simulation(scenario, SEED, case.vector and ENABLED)
    build_s = time.process_time() - begin
    run_s = simulate(simulation)
    result = simulation.result()
    counters = result["counters"]
    return Measured(
        build_s, run_s, simulation.time_ns / NS_PER_S, result["metrics"]["nr_scanned"],
        counters["pgpromote_success"], counters["pgdemote_kswapd"] + counters["pgdemote_direct"],
        simulation.scratch.vector,
    )  # fmt: skip


def _figure(case: Case) -> Figure:
    one = measure(case)
    moved = one.nr_promoted + one.nr_demoted
    folio_mib = min(max(case.nr_mms * case.mm_mib // FOLIO_SHARE, 1), MOST_MIB)
    least_s = one.nr_scanned / rewrite_rate(folio_mib) + moved / scatter_rate(folio_mib)
    seconds = one.simulated_s
    note = (
        f"{one.nr_scanned / seconds / 1e6:.2f} M folios scanned and "
        f"{one.nr_promoted / seconds / 1e3:.3g} k promoted per simulated s, "
        f"{code_name(one.vector, wanted=case.vector and ENABLED)}, build {one.build_s:.2f} s"
    )
    ratio = f"{least_s / one.run_s:.3f} of the memory limits"
    return Figure(seconds / one.run_s, "simulated s / s", note, ratio, case.target)


SPEEDS: dict[str, Callable[[], Figure]] = {
    f"speed_{name}": partial(_figure, case) for name, case in CASES.items()
}
