"""Scanners of tiny machines, and running them visit by visit."""

import itertools

import numpy as np

from tests.engine.machines import flat_memory, flat_rates, pace
from tiering.engine.flow import Pace
from tiering.engine.folios import GRANULE
from tiering.engine.touch import scratch
from tiering.simulation.presets import PRESETS
from tiering.sources.pte_knobs import PteScan
from tiering.sources.pte_scan import PteScanner
from tiering.sources.pte_state import ScannedMm

STILL = pace()  # no process runs


def knobs_of(preset: str) -> PteScan:
    """The knobs of a preset, of a thread whose work takes no time."""
    free = PteScan(pte_slow_ns=0.0, pte_top_ns=0.0, visit_ns=0)
    return free._replace(**PRESETS[preset].settings.get("pte_scan", {}))


def scanner(sizes: list[int], knobs: PteScan, share: float = 0.0, nid: int = 1) -> PteScanner:
    """One mm with VMAs of so many granules each, all on one node; due at once."""
    memory = flat_memory(sum(sizes) * GRANULE, nid=nid)
    borders = np.cumsum([0, *sizes])
    vmas = tuple((int(a), int(b), float((b - a) * 32)) for a, b in itertools.pairwise(borders))
    return PteScanner(knobs, memory, flat_rates(share), scratch(), [ScannedMm("mm", vmas)])


def one_visit(scan: PteScanner, clock: int, pace: Pace = STILL) -> tuple[int, int]:
    """Run to the end of the next visit; (clock, useful folios reported)."""
    reported = 0
    visits = int(scan.mms.nr_visits.sum())
    until = clock
    while scan.mms.nr_visits.sum() == visits:
        until += 100_000
        while clock < until and scan.mms.nr_visits.sum() == visits:
            step = scan.run(0, clock, until, pace, True)
            clock = step.clock
            reported += step.nr_reports
    return clock, reported
