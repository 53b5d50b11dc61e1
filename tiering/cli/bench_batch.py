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
    """The fastest of a few rounds, from the first results on: without the start of processes."""
    scenario = bench_scenario(1, 8192, LIGHT, SIMULATED_S, {"sample_ms": ROW_MS})
    jobs = [Job(scenario, seed) for seed in range(ROUNDS * NR_RUNS + NR_PROCESSES)]
    before_s, start = _children_s(), time.perf_counter()
    arrived = [time.perf_counter() for _ in results(jobs, NR_PROCESSES)]
    cpu_s = (_children_s() - before_s) / len(jobs)
    borders = arrived[NR_PROCESSES - 1 :: NR_RUNS]
    took = min(end - begin for begin, end in pairwise(borders))
    note = (
        f"{NR_PROCESSES} processes on {os.cpu_count()} CPUs, light load, a row a second, another "
        f"seed each; {borders[0] - start:.1f} s to start; {cpu_s * 1e3:.0f} ms of CPU time a run, "
        "the start of the processes included"
    )
    ratio = f"{SIMULATED_S * NR_RUNS / took:,.0f} simulated s / s in all"
    return Figure(NR_RUNS / took * S_PER_H, "runs/hour", note, ratio, TARGET)


def _children_s() -> float:
    """CPU time of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
