"""What can be said of a scenario before its machine is built."""

from typing import NamedTuple

from tiering.simulation.build import process_workload
from tiering.simulation.scenario import FOLIOS_PER_MIB, Scenario


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
