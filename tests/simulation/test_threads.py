from typing import Any

import numpy as np
import pytest

from tests.simulation.scenarios import composed, finished
from tiering.engine.flow import OWED_NS
from tiering.simulation.threads import thread_lists, thread_names, weight

S = 1_000_000_000
MIB = 256  # pages
QUIET: dict[str, Any] = {
    "machine__tlb_entries": 10**6, "machine__pt_cache_mib": 4096.0, "pte_scan__scan_period_ms": 400,
    "migration__reserve": "none", "nodes__0__capacity_mib": 1, "nodes__1__capacity_mib": 1024,
}  # fmt: skip
"""An access takes the same time whatever happens, since nothing finds room on a node of 1 MiB."""
SECOND = 2 * 8192 * 15e-6 + 1e-3  # ms, a visit to 64 MiB on the slow node


def app(**more: Any) -> dict[str, Any]:
    vma = {"size_mib": 64.0, "node": "CXL"}
    return {"threads": 4, "vmas": [{"name": "fill", "size_mib": 1.0, "node": "DRAM"}, vma]} | more


def run(cpus: int, **changes: Any) -> tuple[Any, Any]:
    """The app has 4 threads on a machine of so many CPUs."""
    simulation, rows, _ = finished(composed([app()], **QUIET | {"nodes__0__cpus": cpus} | changes))
    return simulation, rows


@pytest.mark.parametrize(
    ("nice", "kernel"), [(0, 1024), (1, 820), (-1, 1277), (5, 335), (19, 15), (-20, 88761)]
)
def test_weights_are_those_of_the_scheduler_to_two_hundredths(nice: int, kernel: int) -> None:
    assert weight(nice) == pytest.approx(kernel, rel=0.02)


@pytest.mark.parametrize("sample_ms", [10, 100, 1000])
@pytest.mark.parametrize("nice", [-20, 0, 19])
@pytest.mark.parametrize("owner", ["scanner", "thread"])
def test_where_no_cpu_is_idle_the_application_loses_what_kernel_threads_use(
    sample_ms: int, nice: int, owner: str
) -> None:
    changes = {"sample_ms": sample_ms, "until_s": 10.0, "migration__owner": owner}
    _, whole = run(0, **changes)
    simulation, rows = run(4, pte_scan__nice=nice, **changes)
    lost_s = (1 - rows["accesses"][-1] / whole["accesses"][-1]) * 4 * 10
    used_s = sum(simulation.busy_ns()) / S
    owed_s = simulation.progress.flow.cpu[OWED_NS] / S  # of the last steps
    assert used_s > 0.05
    assert abs(owed_s) < 0.5 * sample_ms / 1000 + 0.01
    assert lost_s == pytest.approx(used_s - owed_s, rel=1e-3)


def test_with_cpus_to_spare_or_uncounted_nobody_is_slowed() -> None:
    uncounted, few, many = (run(cpus, until_s=5.0)[1].tobytes() for cpus in (0, 5, 500))
    assert uncounted == few == many


def test_too_many_threads_share_the_cpus_among_themselves() -> None:
    """8 CPU seconds of 4 threads in 4 seconds, less what the scanner uses."""
    _, whole = run(0, until_s=4.0)
    simulation, rows = run(2, until_s=4.0)
    used_s = (sum(simulation.busy_ns()) - simulation.progress.flow.cpu[OWED_NS]) / S
    done_s = rows["accesses"][-1] / whole["accesses"][-1] * 4 * 4
    assert done_s == pytest.approx(8 - used_s, rel=1e-3)


@pytest.mark.parametrize(
    ("cpus", "nice", "slow"), [(6, 0, 1.0), (4, 0, 2.0), (2, 0, 3.0), (4, -5, 1.33), (4, 19, 70.4)]
)
def test_a_visit_takes_longer_by_the_fair_share(cpus: int, nice: int, slow: float) -> None:
    few_skips = {"pte_scan__mms_to_scan": 1, "migration__owner": "thread"}
    simulation, rows = run(cpus, pte_scan__nice=nice, until_s=6.0, **few_skips)
    assert rows["mm.longest_visit_ms"][-1, 0] == pytest.approx(SECOND * slow, rel=0.01)
    visits = int(simulation.scanner.mms.nr_visits[0])
    per_visit = simulation.threads[0].scan_ns / visits / 1e6
    assert per_visit == pytest.approx(SECOND, rel=0.01), "but uses no more CPU"


def test_all_kernel_threads_of_the_machine_count_when_cpus_are_short() -> None:
    """4 threads, a scanner and a migration thread on 5 CPUs: four of five have a rival."""
    _, rows = run(5, migration__owner="thread", until_s=3.0)
    assert rows["mm.longest_visit_ms"][-1, 0] == pytest.approx(SECOND * 1.8, rel=0.01)


TWO_SOCKETS = [
    {"name": "DRAM0", "tier": 0, "cpus": 4},
    {"name": "DRAM1", "tier": 0, "cpus": 4},
    {"name": "CXL", "tier": 1, "capacity_mib": 1024},
]
HOMES = ["DRAM0", "DRAM1", None, "CXL", "DRAM1"]


def several(nr_threads: int, nodes: list[dict[str, Any]] = TWO_SOCKETS, **changes: Any) -> Any:
    processes = [
        app(name=f"p{i}") | ({"home_node": home} if home else {}) for i, home in enumerate(HOMES)
    ]
    for process in processes:
        process["vmas"] = [{"size_mib": 32.0, "node": "CXL"}]
    return composed(processes, nodes, pte_scan__nr_threads=nr_threads, **changes)


@pytest.mark.parametrize(
    ("nr", "lists"),
    [
        (1, [[0, 1, 2, 3, 4]]),
        (2, [[0, 2, 4], [1, 3]]),
        (7, [[0], [1], [2], [3], [4], [], []]),
        (0, [[0, 2], [1, 4], [3]]),
    ],
)
def test_every_mm_is_on_the_list_of_exactly_one_thread(nr: int, lists: list[list[int]]) -> None:
    """0: one for each node, here also for the card, on which a process is at home."""
    assert thread_lists(several(nr), "pte_scan") == lists


def test_without_any_cpus_stated_there_is_a_thread_for_each_home() -> None:
    nodes = [node | {"cpus": 0} for node in TWO_SOCKETS]
    assert thread_lists(several(0, nodes), "pte_scan") == [[0, 2], [1, 4], [3]]


def test_names_of_threads_say_what_they_do_and_where() -> None:
    assert thread_names(several(1)) == ("kmmscand",)
    changes: dict[str, Any] = {"migration__owner": "thread", "reclaim__demotion_enabled": True}
    assert thread_names(several(2, **changes)) == (
        "kmmscand/0", "kmmscand/1", "migration", "kswapd0", "kswapd1",
    )  # fmt: skip
    assert thread_names(several(0, preset="none")) == ()


@pytest.mark.parametrize("owner", ["scanner", "thread"])
@pytest.mark.parametrize("nr", [1, 2, 3, 0])
def test_threads_share_the_queue_and_no_candidate_is_lost_or_doubled(nr: int, owner: str) -> None:
    """All folios are reported once by the first visits, and all of them move."""
    room: dict[str, Any] = {
        "nodes__0__capacity_mib": 512,
        "migration__reserve": "none",
        "until_s": 2.0,
    }
    simulation, rows, _ = finished(several(nr, migration__owner=owner, **room))
    counters = simulation.result()["counters"]
    assert counters["pgpromote_success"] == 5 * 32 * MIB
    twice = counters["migrate_stale"]  # reported again before the migration thread came to it
    assert counters["pgpromote_candidate"] == 5 * 32 * MIB + twice
    assert counters["pgmigrate_fail"] == twice
    assert twice == 0 or owner == "thread"
    assert rows["queue_len"][-1] == 0
    assert (rows["mm.nr_visits"][-1] > 0).all()


FREE = {"migration__batch_us": 0.0, "migration__folio_us": 0.0, "migration__copy_gb_s": 1e3}


def dozen(**changes: Any) -> tuple[Any, Any]:
    """12 mms of 32 MiB, a visit of some 0.1 ms each, and migration for free."""
    vma = {"size_mib": 32.0, "node": "CXL"}
    processes = [{"name": f"p{i}", "vmas": [vma]} for i in range(12)]
    simulation, rows, _ = finished(composed(processes, **QUIET | FREE | changes))
    assert simulation.scanner is not None
    return simulation, rows


@pytest.mark.parametrize("nr", [1, 2, 3])
@pytest.mark.parametrize("owner", ["scanner", "thread"])
def test_several_threads_see_everything_so_many_times_sooner(nr: int, owner: str) -> None:
    """12, 6 or 4 visits in a row, many of them in a tick."""
    simulation, _ = dozen(pte_scan__nr_threads=nr, until_s=0.1, migration__owner=owner)
    mms = simulation.scanner.mms
    assert mms.nr_visits.tolist() == [1] * 12
    assert mms.last_end.max() == pytest.approx(12 // nr * (8192 * 15 + 1000), abs=5000)


def test_a_thread_that_migrates_inline_does_not_fall_behind_the_time() -> None:
    """Each visit finds something, so each is followed by a migration, several times in a tick."""
    simulation, rows = dozen(until_s=5.0, processes__0__think_ns=0.0)
    (thread,) = simulation.threads
    assert thread.clock >= simulation.time_ns
    assert simulation.queue.handled == rows["pgpromote_candidate"][-1] > 12 * 10 * 8000


def test_a_thread_does_not_wait_for_candidates_that_another_will_migrate() -> None:
    """p0 is walked for 33 ms and reports all the while; p1 and p3 take 1 ms each, in a row."""
    sizes = [128.0, 4.0, 4.0, 4.0]
    processes = [
        {"name": f"p{i}", "vmas": [{"size_mib": size, "node": "CXL"}]}
        for i, size in enumerate(sizes)
    ]
    slow = {"pte_scan__pte_slow_ns": 1000.0, "pte_scan__nr_threads": 2, "until_s": 0.1}
    simulation, _, _ = finished(composed(processes, **QUIET | FREE | slow))
    assert simulation.scanner is not None
    ends = simulation.scanner.mms.last_end / 1e6
    assert ends[[1, 3]].tolist() == pytest.approx([1.025, 2.05], abs=0.01)
    assert ends[[0, 2]].tolist() == pytest.approx([32.77, 33.79], abs=0.1)


def test_a_thread_with_nothing_to_do_uses_no_cpu() -> None:
    simulation, rows, _ = finished(several(7, until_s=1.0))
    assert rows["thread.busy_ns"][-1, 5:].tolist() == [0, 0]
    assert (rows["thread.busy_ns"][-1, :5] > 0).all()
    assert np.isfinite(rows["thread.busy_share"]).all()
    assert simulation.shape.threads == tuple(f"kmmscand/{i}" for i in range(7))
