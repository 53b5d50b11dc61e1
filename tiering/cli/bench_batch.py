"""Runs an hour of a batch in several processes, without a queue: 8 GiB for 60 simulated seconds."""

import os
import resource
import time

from tiering.cli.bench_load import LIGHT, bench_scenario
from tiering.cli.measure import Figure
from tiering.simulation.batch import Job, results

NR_PROCESSES = 2
NR_RUNS = 120
SIMULATED_S = 60.0
ROW_MS = 1000
TARGET = 150_000.0
S_PER_H = 3600


def batch_figure() -> Figure:
    """From the first result on, so without the start of the processes."""
    scenario = bench_scenario(1, 8192, LIGHT, SIMULATED_S, {"sample_ms": ROW_MS})
    jobs = [Job(scenario, seed) for seed in range(NR_RUNS + NR_PROCESSES)]
    before_s = _children_s()
    start = time.perf_counter()
    arrived = [time.perf_counter() for _ in results(jobs, NR_PROCESSES)]
    cpu_s = (_children_s() - before_s) / len(jobs)
    first, last = arrived[NR_PROCESSES - 1], arrived[-1]
    note = (
        f"{NR_PROCESSES} processes on {os.cpu_count()} CPUs, light load, a row a second, another "
        f"seed each; {first - start:.1f} s to start; {cpu_s * 1e3:.0f} ms of CPU time a run with "
        "the start of the processes"
    )
    ratio = f"{SIMULATED_S * NR_RUNS / (last - first):,.0f} simulated s / s in all"
    return Figure(NR_RUNS / (last - first) * S_PER_H, "runs/hour", note, ratio, TARGET)


def _children_s() -> float:
    """CPU time of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
