"""How `bench` measures: the best of a few repeats, since machines are shared, and the limits."""

import time
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from tiering.engine.limits import rewrite, scatter

REPEATS = 5


class Figure(NamedTuple):
    """One measured figure; note says the ratio to a limit, or what was measured."""

    value: float
    unit: str
    note: str = ""


def best(work: Callable[[], float], repeats: int = REPEATS) -> float:
    """Largest rate (units a second) of several calls; work returns the units it did."""
    work()
    best = 0.0
    for _ in range(repeats):
        begin = time.perf_counter()
        units = work()
        best = max(best, units / (time.perf_counter() - begin))
    return best


@cache
def rewrite_rate() -> float:
    words = np.zeros(1 << 26, np.uint32)

    def work() -> float:
        rewrite(words)
        return float(words.size)

    return best(work)


@cache
def scatter_rate() -> float:
    words = np.zeros(1 << 26, np.uint32)
    salt = iter(np.arange(1, 100, dtype=np.uint64) << np.uint64(40))

    def work() -> float:
        scatter(words, 1 << 22, next(salt))
        return float(1 << 22)

    return best(work)


def host(size_mib: int, pattern: str, think_ns: float, dram_mib: int, until_s: float) -> str:
    return f"""
title = "bench"
question = "how fast?"
topic = "bench"
preset = "kmmscand_v0"
until_s = {until_s}
[[nodes]]
name = "DRAM"
tier = 0
capacity_mib = {dram_mib}
latency_ns = 90.0
read_gb_s = 300.0
write_gb_s = 300.0
[[nodes]]
name = "CXL"
tier = 1
capacity_mib = {size_mib}
latency_ns = 250.0
read_gb_s = 36.0
write_gb_s = 30.0
[[processes]]
name = "load"
threads = 1
think_ns = {think_ns}
[[processes.vmas]]
size_mib = {size_mib}.0
split_mib = 1024.0
node = "CXL"
pattern = "{pattern}"
[pte_scan]
scan_size_mib = 1024
scan_size_max_mib = 1024
"""
