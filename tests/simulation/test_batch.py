from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulation.scenarios import tiny
from tiering.simulation.batch import Job, results
from tiering.simulation.load import ScenarioError
from tiering.simulation.loop import Simulation

ZIPF = {"processes__0__vmas__0__pattern": "zipf"}
LONG, SHORT = tiny(until_s=4.0, **ZIPF), tiny(until_s=2.0, **ZIPF)
JOBS = [Job(LONG, 1), Job(LONG, 2), Job(SHORT, 1), Job(LONG, 1)]


def alone(job: Job) -> dict[str, Any]:
    simulation = Simulation(job.scenario, job.seed)
    while not simulation.done:
        simulation.next_block()
    return simulation.result()


@pytest.mark.parametrize("nr_processes", [1, 2])
def test_a_batch_gives_what_separate_runs_give_in_the_order_of_the_jobs(nr_processes: int) -> None:
    found = list(results(JOBS, nr_processes))
    assert found == [alone(job) for job in JOBS]
    assert found[0] == found[3]
    for other in found[1:3]:
        assert found[0]["counters"] != other["counters"], "another seed or end is another run"


def test_results_come_one_by_one() -> None:
    begun: list[Job] = []

    def jobs() -> Iterator[Job]:
        for job in JOBS:
            begun.append(job)
            yield job

    one_by_one = results(jobs())
    next(one_by_one)
    assert begun == JOBS[:1]


@pytest.mark.parametrize("nr_processes", [1, 2])
def test_what_a_run_raises_reaches_the_caller(nr_processes: int) -> None:
    misfit = tiny(until_s=1.0, **{"nodes.0.capacity_mib": 1, "nodes.1.capacity_mib": 1})
    with pytest.raises(ScenarioError, match="does not fit"):
        list(results([JOBS[0], Job(misfit, 1)], nr_processes))


def test_no_processes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^nr_processes = 0: should be at least 1$"):
        next(results(JOBS, 0))
