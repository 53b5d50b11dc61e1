"""What can be said of a scenario before its machine is built, and the workload of a process."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tiering.engine.random import stream_key
from tiering.simulation.load import ScenarioError
from tiering.simulation.scenario import FOLIOS_PER_MIB, Process, Scenario
from tiering.workloads.coarsen import coarsen
from tiering.workloads.damon_recording import RecordingError, build_recording
from tiering.workloads.merge import merge
from tiering.workloads.pattern import PatternError, Region, Workload
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
    """Regions and phases of one process.

    Raises ScenarioError if its recording cannot be read, the knobs of a pattern do not go together
    or the phases of its VMAs have no common lap.
    """
    if process.recording is not None:
        knobs = process.damon_recording or PATTERNS["damon_recording"].knobs()
        try:
            return build_recording(Path(scenario.folder) / process.recording, knobs)
        except RecordingError as error:
            raise ScenarioError(f"{scenario.name}: {error}") from error
    try:
        return merge([_region(scenario, process, at, seed) for at in range(len(process.vmas))])
    except PatternError as error:
        raise ScenarioError(f"{scenario.name}: process {process.name}: {error}") from error


def _region(scenario: Scenario, process: Process, at: int, seed: int) -> Region:
    """VMA `at` in folios of its order, with its part of the accesses; raises ScenarioError."""
    vma = process.vmas[at]
    pattern = PATTERNS[vma.pattern]
    knobs = getattr(vma, vma.pattern) or pattern.knobs()
    nr_pages = max(1, round(vma.size_mib * FOLIOS_PER_MIB))
    if pattern.build is None:
        raise ScenarioError(f"{scenario.name}: pattern {vma.pattern} needs a recording")
    try:
        region = coarsen(pattern.build(knobs, nr_pages, int(stream_key(seed, at))), vma.order)
    except PatternError as error:
        where = f"{scenario.name}: process {process.name}, VMA {vma.name}"
        raise ScenarioError(f"{where}: {error}") from error
    shared = any(one.share_pct for one in process.vmas)
    total = sum(one.size_mib for one in process.vmas)
    part = vma.share_pct / 100 if shared else vma.size_mib / total
    return replace(region, name=vma.name, share=region.share * part)
