"""Many runs one after the other, in this process or in several: comparisons, sweeps, statistics.

Every run is built anew, since its seed decides where hot folios lie, and gives what it would give
alone. What is saved is the start of a process: packages and compiled loops stay. Between runs
their memory is given back, which takes a collection of cycles; everything that was there before
the first run is taken out of these (gc.freeze), or one would take longer than building 8 GiB.
"""

import gc
from collections.abc import Iterable, Iterator
from multiprocessing import get_context
from typing import Any, NamedTuple

from tiering.simulation.loop import Simulation
from tiering.simulation.scenario import Scenario
from tiering.simulation.warm import warm_up


class Job(NamedTuple):
    """One run to the end."""

    scenario: Scenario
    seed: int


def results(jobs: Iterable[Job], nr_processes: int = 1) -> Iterator[dict[str, Any]]:
    """What `Simulation.result` says of each job, in their order, as soon as it is known.

    nr_processes: 1 runs in the caller's process, more in as many new ones (spawned: who calls this
    from a script needs `if __name__ == "__main__"`), which end with the iteration. Raises what a
    run raises, e.g. ScenarioError.
    """
    if nr_processes < 1:
        raise ValueError(f"nr_processes = {nr_processes}: should be at least 1")
    if nr_processes == 1:
        gc.freeze()
        try:
            yield from map(_run, jobs)
        finally:
            gc.unfreeze()
        return
    with get_context("spawn").Pool(nr_processes, _begin) as pool:
        yield from pool.imap(_run, jobs)


def _begin() -> None:
    warm_up()
    gc.collect()
    gc.freeze()


def _run(job: Job) -> dict[str, Any]:
    simulation = Simulation(job.scenario, job.seed)
    while not simulation.done:
        simulation.next_block()
    result = simulation.result()
    del simulation
    gc.collect()
    return result
