"""NUMA balancing as memory tiering on pmbench, as posted by Huang Ying, 2020 to 2022.

Sources: Message-IDs 20201027063217.211096-1-ying.huang@intel.com and
20210204101056.89336-1-ying.huang@intel.com (steps of the series), and "[PATCH -V4 RESEND 0/3]
memory tiering: hot page selection" of 13 July 2022. Sizes, threads and sigma were not posted.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np

from tiering.model.metrics import row_dtype
from tiering.simulation.load import load_file
from tiering.simulation.loop import Simulation
from tiering.validation.check import Check, between

SCENARIO = "pmbench-gaussian"
FIXED = {"hot_threshold.threshold_window_ms": 3_600_000}
"""The threshold does not move while the run lasts."""
STEPS: dict[str, dict[str, Any]] = {
    "off": {"preset": "none"},
    "every fault": {"rooms.promotion": "every_report"},
    "hot": FIXED,
    "limited": FIXED,
    "adjusted": {},
}
"""Overrides of each step; from `limited` on the rate is limited to half of what `hot` promoted."""
PUBLISHED = {
    "off": (74.2, None), "every fault": (146.3, 355.2), "hot": (162.5, 211.7),
    "limited": (157.2, 105.9), "adjusted": (164.0, 73.3),
}  # fmt: skip
"""M accesses/s and MB/s promoted, of the series of 2020 and 2021."""


SIZES = (
    "sizes and threads were not posted; here nearly every page that faults is touched within a "
    "second, so the threshold has little to choose from"
)
SLOW_START = (
    "at half the rate the hot set is still on its way to DRAM when the run ends; the posted "
    "figures are probably of a machine that is warm"
)


class Step(NamedTuple):
    """Of the second half of a run: M accesses/s, and MB/s promoted."""

    score: float
    promoted: float


Steps = Mapping[str, Sequence[Step]]


def steps(seeds: Sequence[int], nr_processes: int, **changes: Any) -> dict[str, list[Step]]:
    """Every step with every seed; changes: overrides, dots are __."""
    overrides = {key.replace("__", "."): value for key, value in changes.items()}
    jobs = list(zip(seeds, repeat(overrides), strict=False))
    if nr_processes == 1:
        found = [_chain(job) for job in jobs]
    else:
        with get_context("spawn").Pool(nr_processes) as pool:
            found = pool.map(_chain, jobs, chunksize=1)
    return {name: [chain[name] for chain in found] for name in STEPS}


def _chain(job: tuple[int, dict[str, Any]]) -> dict[str, Step]:
    """All steps with one seed."""
    seed, overrides = job
    found: dict[str, Step] = {}
    for name, own in STEPS.items():
        limit = {}
        if "hot" in found:
            mib = max(round(found["hot"].promoted / 2 * 1e6 / 2**20), 1)
            limit = {"hot_threshold.promote_rate_limit_mib_s": mib}
        found[name] = _second_half(Simulation(load_file(SCENARIO, overrides | own | limit), seed))
    return found


def _second_half(simulation: Simulation) -> Step:
    dtype = row_dtype(simulation.shape)
    rows = []
    while not simulation.done:
        rows.append(simulation.next_block().array(dtype))
    told = np.concatenate(rows)
    first, last = told[told.size // 2 - 1], told[-1]
    us = (last["time_ns"] - first["time_ns"]) / 1e3
    pages = last["pgpromote_success"] - first["pgpromote_success"]
    return Step(float((last["accesses"] - first["accesses"]) / us), float(pages * 4096 / us))


def checks(found: Steps) -> Iterator[Check]:
    """Those of the series: what promotion, selection, limit and adjustment do."""
    yield Check(
        "promotion on / off, throughput", "1.97", "1.5 .. 2.4", between(1.5, 2.4),
        _ratio(found, "every fault", "off", 0),
    )  # fmt: skip
    yield Check(
        "selection by latency / every fault, throughput", "1.11 .. 1.13", "1.03 .. 1.20",
        between(1.03, 1.20), _ratio(found, "hot", "every fault", 0), SIZES,
    )  # fmt: skip
    yield Check(
        "selection by latency / every fault, promoted", "0.59 .. 0.75", "0.50 .. 0.80",
        between(0.50, 0.80), _ratio(found, "hot", "every fault", 1), SIZES,
    )  # fmt: skip
    yield Check(
        "rate limit of half the traffic, throughput", "0.967 .. 0.99", "0.94 .. 1.02",
        between(0.94, 1.02), _ratio(found, "limited", "hot", 0), SLOW_START,
    )  # fmt: skip
    yield Check(
        "adjusted threshold, promoted", "0.69", "less", lambda value: value < 1.0,
        _ratio(found, "adjusted", "limited", 1),
    )  # fmt: skip
    yield Check(
        "adjusted threshold, throughput", "1.04", "not lower", lambda value: value >= 1.0,
        _ratio(found, "adjusted", "limited", 0), SLOW_START,
    )  # fmt: skip


def _ratio(found: Steps, a: str, b: str, field: int) -> list[float]:
    return [x[field] / y[field] for x, y in zip(found[a], found[b], strict=True)]
