"""What can be said of a scenario before its machine is built, and the workload of a process."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tiering.engine.random import stream_key
from tiering.simulation.load import ScenarioError
from tiering.simulation.scenario import FOLIOS_PER_MIB, Process, Scenario, Vma
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
    for at, process in enumerate(scenario.processes):
        mib = sum(vma.size_mib for vma in process.vmas)
        if process.recording is not None:
            workload = process_workload(scenario, at, seed=0)
            mib = sum(region.nr_folios for region in workload.regions) / FOLIOS_PER_MIB
            assumptions += workload.assumptions
        size += mib * process.count
    return Description(size, tuple(dict.fromkeys(assumptions)))


def process_workload(
    scenario: Scenario, at: int, seed: int, most_pages: int | None = None
) -> Workload:
    """Regions and phases of a process of entry `at`; a recording is the same for every seed.

    most_pages: of a VMA, for a small model of the process in folios of order 0.

    Raises ScenarioError if its recording cannot be read, the knobs of a pattern do not go together
    or the phases of its VMAs have no common lap.
    """
    process, key = scenario.processes[at], f"{scenario.origin}: processes.{at}"
    if process.recording is not None:
        knobs = process.damon_recording or PATTERNS["damon_recording"].knobs()
        try:
            return build_recording(Path(scenario.folder) / process.recording, knobs)
        except RecordingError as error:
            where = f"{key}.recording = {process.recording!r}"
            raise ScenarioError(f"{where}: {error}") from error
    regions = []
    for nr, (vma, part) in enumerate(zip(process.vmas, _parts(process), strict=True)):
        try:
            regions.append(_region(vma, part, int(stream_key(seed, nr)), most_pages))
        except PatternError as error:
            where = f"{key}.vmas.{nr} (process {process.name}, VMA {vma.name})"
            raise ScenarioError(f"{where}: {error}") from error
    try:
        return merge(regions)
    except PatternError as error:
        raise ScenarioError(f"{key}.vmas (process {process.name}): {error}") from error


def _parts(process: Process) -> list[float]:
    """The part of the accesses that each VMA gets."""
    if any(vma.share_pct for vma in process.vmas):
        return [vma.share_pct / 100 for vma in process.vmas]
    total = sum(vma.size_mib for vma in process.vmas)
    return [vma.size_mib / total for vma in process.vmas]


def _region(vma: Vma, part: float, seed: int, most_pages: int | None) -> Region:
    """The VMA in folios of its order, with its part of the accesses; raises PatternError."""
    pattern = PATTERNS[vma.pattern]
    knobs = getattr(vma, vma.pattern) or pattern.knobs()
    if pattern.build is None:
        raise PatternError(f"pattern {vma.pattern} needs a recording")
    if most_pages is None:
        region = coarsen(pattern.build(knobs, nr_pages(vma), seed), vma.order)
    else:
        region = pattern.build(knobs, min(nr_pages(vma), most_pages), seed)
    return replace(region, name=vma.name, share=region.share * part)


def recordings(scenario: Scenario) -> dict[int, Workload]:
    """Workloads of the entries that replay a recording, each read once; raises ScenarioError."""
    return {
        at: process_workload(scenario, at, seed=0)
        for at, process in enumerate(scenario.processes)
        if process.recording is not None
    }


def nr_pages(vma: Vma) -> int:
    """Pages of 4 KiB of a VMA, at least one."""
    return max(1, round(vma.size_mib * FOLIOS_PER_MIB))
