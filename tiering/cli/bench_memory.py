"""Memory of a run: bytes a folio, counted in the arrays of a simulation, and the peak of a host."""

import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tiering.cli.bench_load import THRASH, bench_scenario
from tiering.cli.bench_speed import simulate
from tiering.cli.measure import Figure
from tiering.simulation.freeze import Frozen
from tiering.simulation.load import load_file
from tiering.simulation.loop import Simulation

NR_MMS, MM_MIB = 16, 4096
SIMULATED_S = 2.0
POSTED = {"reclaim.demotion_enabled": False}
"""kmmscand as posted: nobody demotes."""
HOST, HOST_UNTIL_S = "host-1tib-1000-mms", 1.0
GB = 1e9


def _folio_bytes(changes: dict[str, Any], target: float) -> Figure:
    """Arrays with an element for every folio; the note says what all arrays take."""
    scenario = bench_scenario(NR_MMS, MM_MIB, THRASH, SIMULATED_S, changes)
    simulation = Simulation(scenario, 1)
    simulate(simulation)
    nr = int(simulation.world.nr_folios.sum())
    arrays = Frozen(simulation, scenario, "simulation").arrays.values()
    state = sum(array.nbytes for array in arrays if array.size >= nr)
    everything = sum(array.nbytes for array in arrays)
    note = f"{nr:,} folios; {everything / nr:.2f} with granules, rows, queue and buffers"
    return Figure(state / nr, "bytes a folio", note, target=target, at_most=True)


def _host_peak() -> Figure:
    """Peak of a new process that builds and simulates a host of 1 TiB."""
    program = f"from {__name__} import simulated_peak; print(simulated_peak({HOST!r}))"
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True
    )
    took = time.perf_counter() - begin
    note = f"resident, {HOST} for {HOST_UNTIL_S:g} s, which took {took:.1f} s with its build"
    return Figure(int(done.stdout) / GB, "GB", note, target=4.0, at_most=True)


def simulated_peak(scenario: str) -> int:
    """Simulate the begin of a scenario; returns the peak of this process in bytes."""
    simulate(Simulation(load_file(scenario, {"until_s": HOST_UNTIL_S}), 1))
    return peak_bytes()


def peak_bytes(status: Path = Path("/proc/self/status")) -> int:
    """Most memory that this process has had resident.

    Linux says it in /proc; what getrusage says begins with the size of the process that started
    this one there.
    """
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text("utf-8"), re.MULTILINE)
    except OSError:
        found = None
    if found:
        return int(found[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


MEMORY: dict[str, Callable[[], Figure]] = {
    "memory_kmmscand": partial(_folio_bytes, POSTED, 4.0),
    "memory_most_state": partial(_folio_bytes, {}, 8.0),
    "memory_1tib_host": _host_peak,
}
