"""Engine and naive twin side by side: one scenario, many seeds, the same figures of both.

What is the same in every run of both must be equal; what differs must follow one law: by
Kolmogorov-Smirnov, and its mean by Welch. Seeds are fixed, so a p value is what it is, and below
P_THRESHOLD the two are taken to differ.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tests.naive.twin import RIGHT, Twin, Wrong
from tests.simulation.scenarios import composed
from tiering.simulation.loop import Simulation
from tiering.simulation.scenario import Scenario

P_THRESHOLD = 1e-4
RUNS = 60
SAME = 1e-6
"""Figures this close are one: the twin's arithmetic is not the engine's."""
Figures = dict[str, float]
Samples = dict[str, NDArray[np.float64]]

DRAM = {"name": "DRAM", "tier": 0, "capacity_mib": 1}
CXL = {"name": "CXL", "tier": 1, "capacity_mib": 16, "latency_ns": 250.0}
FILLER = {"name": "filler", "think_ns": 1e9}
SCAN = {
    "pte_scan__ignore_threshold": 6,
    "pte_scan__scan_period_ms": 200,
    "pte_scan__scan_period_min_ms": 50,
    "pte_scan__scan_period_max_ms": 1000,
    "pte_scan__mms_to_scan": 3,
    "until_s": 6.0,
    "sample_ms": 1000,
}


def filler(size_mib: float) -> dict[str, Any]:
    """Memory of DRAM that is touched once a second."""
    return FILLER | {"vmas": [{"size_mib": size_mib, "node": "DRAM"}]}


def app(think_ns: float, *vmas: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A process with an access every think_ns or so."""
    return {"think_ns": think_ns, "vmas": [{"node": "CXL"} | vma for vma in vmas]} | fields


def host(*processes: dict[str, Any], nodes: Any = (DRAM, CXL), **changes: Any) -> Scenario:
    """A machine of a few hundred folios, scanned some ten times a second."""
    return composed(list(processes), list(nodes), **(SCAN | changes))


def engine_figures(scenario: Scenario, seed: int) -> Figures:
    """One run of the engine."""
    simulation = Simulation(scenario, seed)
    while not simulation.done:
        simulation.next_block()
    result = simulation.result()
    metrics = result["metrics"]
    figures: Figures = dict(result["counters"])
    figures["killed"] = len(simulation.population.killed)
    figures["hit_share"] = metrics["top_tier_share"]
    figures["oldest_ms"] = metrics["candidate_age_max_ms"]
    figures["elapsed_s"] = result["elapsed_s"] or 0.0
    figures["untouched"] = metrics["promoted_untouched_share"] or 0.0
    figures["precision"] = metrics["precision"] or 0.0
    figures["recall"] = metrics["recall"] or 0.0
    for nid, free in enumerate(simulation.world.memory.free):
        figures[f"free_{nid}"] = int(free)
    if simulation.scanner is not None:
        mms = simulation.scanner.mms
        figures["visits"] = int(mms.nr_visits.sum())
        figures["scanned"] = int(mms.nr_scanned.sum())
        figures["found"] = int(mms.found.sum())
        figures["period"] = int(mms.period_ms.sum())
    return figures


def twin_figures(scenario: Scenario, seed: int, wrong: Wrong = RIGHT) -> Figures:
    """One run of the twin."""
    twin = Twin(scenario, seed, wrong)
    twin.run()
    return twin.figures()


def _samples(runs: list[Figures]) -> Samples:
    return {name: np.array([run[name] for run in runs], np.float64) for name in runs[0]}


class Pair:
    """A scenario on both sides."""

    def __init__(self, scenario: Scenario, runs: int = RUNS) -> None:
        self.scenario, self.runs = scenario, runs

    @cached_property
    def fast(self) -> Samples:
        """Of the engine; negative controls are held against the same runs."""
        return _samples([engine_figures(self.scenario, seed) for seed in range(self.runs)])

    def slow(self, wrong: Wrong = RIGHT) -> Samples:
        """Of the twin, with other seeds."""
        seeds = range(1000, 1000 + self.runs)
        return _samples([twin_figures(self.scenario, seed, wrong) for seed in seeds])

    def check(self, *figures: str, apart: Sequence[str] = ()) -> None:
        """All figures that never vary are equal, `apart` from some; those named follow one law.

        A figure that is named has to vary, so that there is something to compare.
        """
        fast, slow = self.fast, self.slow()
        for name in sorted(set(fast) & set(slow) - set(apart) - set(figures)):
            if np.ptp(fast[name]) == 0 and np.ptp(slow[name]) == 0:
                assert fast[name][0] == pytest.approx(slow[name][0], rel=SAME), name
        for name in figures:
            assert min(np.ptp(fast[name]), np.ptp(slow[name])) > 0, name
            assert p_value(fast[name], slow[name]) > P_THRESHOLD, name

    def differs(self, wrong: Wrong, *figures: str) -> None:
        """A twin that does something wrong is told apart by each of these figures."""
        slow = self.slow(wrong)
        for name in figures:
            assert p_value(self.fast[name], slow[name]) < P_THRESHOLD, name

    def equal(self) -> Figures:
        """Nothing is drawn by chance: one run of each gives the same figures; returns them."""
        fast, slow = engine_figures(self.scenario, 1), twin_figures(self.scenario, 2)
        for name in sorted(set(fast) & set(slow)):
            assert fast[name] == pytest.approx(slow[name], rel=SAME, abs=SAME), name
        return fast

    def unequal(self, wrong: Wrong, *figures: str) -> None:
        """Nothing is drawn by chance, and a twin that does something wrong has other figures."""
        fast, slow = engine_figures(self.scenario, 1), twin_figures(self.scenario, 2, wrong)
        for name in figures:
            assert fast[name] != pytest.approx(slow[name], rel=SAME, abs=SAME), name


def p_value(fast: NDArray[np.float64], slow: NDArray[np.float64]) -> float:
    """The smaller of the p values of Kolmogorov-Smirnov and Welch."""
    values, inverse = np.unique(np.concatenate([fast, slow]), return_inverse=True)
    rank = np.cumsum(np.diff(values, prepend=values[0]) > SAME * abs(values[-1]))[inverse]
    distance = stats.ks_2samp(rank[: fast.size], rank[fast.size :], method="asymp")
    if np.ptp(rank) == 0:
        return 1.0
    if np.ptp(fast) == 0 and np.ptp(slow) == 0:
        return 0.0
    mean = stats.ttest_ind(fast, slow, equal_var=False)
    return float(min(distance.pvalue, mean.pvalue))
