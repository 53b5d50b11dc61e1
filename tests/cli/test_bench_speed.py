import pytest

from tiering.cli import bench_cost, bench_speed
from tiering.cli.bench_load import LIGHT, ONE_KTHREAD, THRASH, Rate, bench_scenario
from tiering.cli.bench_speed import CASES, SPEEDS, Case, measure
from tiering.simulation.loop import Simulation


def accesses_a_page(nr_mms: int, mm_mib: int, rate: Rate) -> float:
    """Made in a second."""
    simulation = Simulation(bench_scenario(nr_mms, mm_mib, rate, 2.0), 1)
    while not simulation.done:
        simulation.next_block()
    return float(simulation.result()["counters"]["accesses"]) / 2.0 / (nr_mms * mm_mib * 256)


@pytest.mark.parametrize("rate", [LIGHT, THRASH, Rate(100.0, 1.0)])
@pytest.mark.parametrize(("nr_mms", "mm_mib"), [(1, 512), (8, 64)])
def test_the_load_makes_the_accesses_that_it_says(nr_mms: int, mm_mib: int, rate: Rate) -> None:
    assert accesses_a_page(nr_mms, mm_mib, rate) == pytest.approx(rate.touches, rel=0.01)


def test_processes_are_split_into_vmas_of_a_gibibyte_unless_one_is_asked_for() -> None:
    split = Simulation(bench_scenario(2, 2048, LIGHT, 1.0), 1)
    assert [len(vmas) for vmas in split.world.vmas] == [2, 2]
    whole = Simulation(bench_scenario(2, 2048, LIGHT, 1.0, bench_speed.ONE_VMA), 1)
    assert [len(vmas) for vmas in whole.world.vmas] == [1, 1]


def test_ptes_take_time_of_their_thread_only_where_one_kthread_is_asked_for() -> None:
    scan_ns = []
    for changes in ({}, ONE_KTHREAD):
        simulation = Simulation(bench_scenario(4, 1024, LIGHT, 2.0, changes), 1)
        while not simulation.done:
            simulation.next_block()
        metrics = simulation.result()["metrics"]
        scan_ns.append(metrics["scan_s"] / metrics["nr_scanned"] * 1e9)
    free, bound = scan_ns
    assert 4.0 < bound - free < 30.0, "a quarter of the PTEs is on DRAM"


@pytest.mark.compiled
def test_portable_code_does_the_same_work() -> None:
    case = Case(1, 512, THRASH, 3.0)
    fast, portable = measure(case), measure(case._replace(vector=False))
    assert not portable.vector
    assert fast[3:6] == portable[3:6]
    assert fast.nr_promoted > 0


def test_a_figure_tells_speed_work_and_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_speed, "rewrite_rate", lambda mib: 1e9)
    monkeypatch.setattr(bench_speed, "scatter_rate", lambda mib: 1e8)
    figure = bench_speed._figure(Case(1, 256, LIGHT, 1.0, 5.0, vector=False))
    assert figure.value > 0
    assert figure.target == 5.0
    assert figure.ratio.endswith("of the memory limits")
    assert "scanned and" in figure.note
    assert "portable code" in figure.note
    assert set(SPEEDS) == {f"speed_{name}" for name in CASES}


def test_costs_are_of_machines_that_grow_and_of_rates_that_grow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bench_cost, "MM_MIB", 32)
    for name, value in (("NRS_OF_MMS", (1, 2)), ("TOUCHES", (0.01, 1.0)), ("REPEATS", 1)):
        monkeypatch.setattr(bench_cost, name, value)
    for function in (bench_cost.by_folios, bench_cost.by_accesses):
        function.cache_clear()
    try:
        one, two = bench_cost.by_folios()
        assert two.nr_visited == 2 * one.nr_visited
        rare, often = bench_cost.by_accesses(False)
        assert often.nr_visited == rare.nr_visited
        assert often.nr_accesses == pytest.approx(100 * rare.nr_accesses, rel=0.01)
        for benchmark in bench_cost.COSTS.values():
            assert benchmark().note
    finally:
        for function in (bench_cost.by_folios, bench_cost.by_accesses):
            function.cache_clear()
