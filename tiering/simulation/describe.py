"""What can be said of a scenario before its machine is built, and the workload of a process."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from tiering.engine.random import stream_key
from tiering.simulation.load import ScenarioError
from tiering.simulation.scenario import FOLIOS_PER_MIB, Process, Scenario
from tiering.workloads.coarsen import CannotCoarsen, coarsen
from tiering.workloads.damon_recording import RecordingError, build_recording
from tiering.workloads.pattern import Region, Workload
from tiering.workloads.table import PATTERNS


class Description(NamedTuple):
    """Memory of all processes, and sentences on what the scenario had to assume."""

    size_mib: float
    assumptions: tuple[str, ...]


def describe(scenario: Scenario) -> Description:
    """Size and assumptions; raises ScenarioError if a recording cannot be read."""
    size = 0.0
    assumptions: tuple[str, ...] = ()
    for process in scenario.processes:
        mib = sum(vma.size_mib for vma in process.vmas)
        if process.recording is not None:
            workload = process_workload(scenario, process, seed=0)
            mib = sum(region.nr_folios for region in workload.regions) / FOLIOS_PER_MIB
            assumptions += workload.assumptions
        size += mib * process.count
    return Description(size, tuple(dict.fromkeys(assumptions)))


def process_workload(scenario: Scenario, process: Process, seed: int) -> Workload:
    """Regions and phases of one process; raises ScenarioError if its recording cannot be read."""
    if process.recording is not None:
        knobs = process.damon_recording or PATTERNS["damon_recording"].knobs()
        try:
            return build_recording(Path(scenario.folder) / process.recording, knobs)
        except RecordingError as error:
            raise ScenarioError(f"{scenario.name}: {error}") from error
    regions = [_region(scenario, process, at, seed) for at in range(len(process.vmas))]
    phased = [region for region in regions if region.phase_accesses.size]
    if not phased:
        return Workload(tuple(regions), np.zeros(0))
    length = phased[0].phase_accesses
    if any(not np.array_equal(region.phase_accesses, length) for region in phased):
        raise ScenarioError(f"{scenario.name}: processes.{process.name}: phases differ")
    return Workload(tuple(_over(region, length.size) for region in regions), length)


def _over(region: Region, nr_phases: int) -> Region:
    if region.phase_accesses.size:
        return region
    share = np.repeat(region.share, nr_phases, axis=0)
    return Region(region.name, region.nr_folios, region.classes, share, sweep=region.sweep)


def _region(scenario: Scenario, process: Process, at: int, seed: int) -> Region:
    """One VMA, in folios of its order, with its part of the process's accesses."""
    vma = process.vmas[at]
    pattern = PATTERNS[vma.pattern]
    knobs = getattr(vma, vma.pattern) or pattern.knobs()
    if pattern.build is None:
        raise ScenarioError(f"{scenario.name}: pattern {vma.pattern} needs a recording")
    region = pattern.build(
        knobs, max(1, round(vma.size_mib * FOLIOS_PER_MIB)), int(stream_key(seed, at))
    )
    try:
        region = coarsen(region, vma.order)
    except CannotCoarsen as error:
        raise ScenarioError(
            f"{scenario.name}: processes.{process.name}.vmas.{at}.order = {vma.order}: {error}"
        ) from error
    shared_out = any(one.share_pct for one in process.vmas)
    total = sum(one.size_mib for one in process.vmas)
    part = vma.share_pct / 100 if shared_out else vma.size_mib / total
    return Region(
        vma.name, region.nr_folios, region.classes, region.share * part, region.row_stride,
        region.phase_accesses, region.populated, region.sweep,
    )  # fmt: skip
