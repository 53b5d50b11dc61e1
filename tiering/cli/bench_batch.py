"""Runs an hour of a batch in several processes, without a queue: 8 GiB for 60 simulated seconds."""

import os
import resource
import time
from itertools import pairwise

from tiering.cli.bench_load import LIGHT, bench_scenario
from tiering.cli.measure import Figure
from tiering.simulation.batch import Job, results

NR_PROCESSES = 2
NR_RUNS, ROUNDS = 60, 3
SIMULATED_S = 60.0
ROW_MS = 1000
TARGET = 150_000.0
S_PER_H = 3600


def batch_figure() -> Figure:
    """By CPU time, as if the processes had a CPU each; the note has the wall time.

    The start of the processes is what a batch of one run each takes, and does not count.
    """
    scenario = bench_scenario(1, 8192, LIGHT, SIMULATED_S, {"sample_ms": ROW_MS})
    jobs = [Job(scenario, seed) for seed in range(ROUNDS * NR_RUNS + NR_PROCESSES)]
    start_s, _ = _timed(jobs[:NR_PROCESSES])
    cpu_s, arrived = _timed(jobs)
    run_s = (cpu_s - start_s) / (len(jobs) - NR_PROCESSES)
    took = min(end - begin for begin, end in pairwise(arrived[NR_PROCESSES - 1 :: NR_RUNS]))
    note = (
        f"{NR_PROCESSES} processes on {os.cpu_count()} CPUs, {run_s * 1e3:.0f} ms of CPU time a "
        f"run, light load, a row a second, another seed each; {NR_RUNS / took * S_PER_H:,.0f} by "
        "the clock, with whatever else ran meanwhile"
    )
    ratio = f"{SIMULATED_S / run_s * NR_PROCESSES:,.0f} simulated s / s in all"
    return Figure(NR_PROCESSES / run_s * S_PER_H, "runs/hour", note, ratio, TARGET)


def _timed(jobs: list[Job]) -> tuple[float, list[float]]:
    """CPU time of the processes, and the time of the clock at each result, in seconds."""
    before_s = _children_s()
    arrived = [time.perf_counter() for _ in results(jobs, NR_PROCESSES)]
    return _children_s() - before_s, arrived


def _children_s() -> float:
    """CPU time of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
