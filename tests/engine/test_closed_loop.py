import numpy as np
import pytest

from tiering.engine.closed_loop import Load, Nodes, loaded_latency, room, solve

DRAM, CXL = 0, 1


def machine(a: float = 1e-9, dram_gb_s: float = 1e6, cxl_gb_s: float = 1e6) -> Nodes:
    return Nodes(
        np.array([100.0, 250.0]), np.full(2, a), np.full(2, 2, np.int64),
        np.array([dram_gb_s, cxl_gb_s]), np.array([dram_gb_s, cxl_gb_s]),
    )  # fmt: skip


def solved(
    nodes: Nodes, threads: float, think: float, hit: float, copies: float = 0.0
) -> tuple[float, np.ndarray, np.ndarray]:
    load = Load(
        np.array([threads]), np.array([think]), np.zeros(1), np.array([[hit], [1 - hit]]),
        np.array([0.0, copies]), np.array([copies, 0.0]),
    )  # fmt: skip
    latency, utilisation, throughput = nodes.idle_ns.copy(), np.zeros(2), np.zeros(1)
    solve(nodes, load, latency, utilisation, throughput, room(1))
    return float(throughput[0]), latency, utilisation


@pytest.mark.parametrize("hit", [0.0, 0.25, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("think", [0.0, 300.0])
def test_o8_throughput_is_threads_over_the_round_trip(hit: float, think: float) -> None:
    throughput, _, _ = solved(machine(), 16, think, hit)
    assert throughput == pytest.approx(16 / (think + hit * 100 + (1 - hit) * 250), rel=1e-6)


def test_o8_all_slow_to_all_fast_is_the_ratio_of_round_trips() -> None:
    fast, _, _ = solved(machine(), 8, 50.0, 1.0)
    slow, _, _ = solved(machine(), 8, 50.0, 0.0)
    assert fast / slow == pytest.approx((50 + 250) / (50 + 100), rel=1e-6)


@pytest.mark.parametrize(("hit", "cap"), [(1.0, 50 / 64), (0.0, 20 / 64), (0.5, 20 / 32)])
def test_o8_bandwidth_caps_throughput(hit: float, cap: float) -> None:
    throughput, _, utilisation = solved(machine(1e-6, 50.0, 20.0), 10_000, 0.0, hit)
    assert throughput == pytest.approx(cap, rel=1e-3)
    assert utilisation.max() < 1.0


def test_o8_the_best_split_uses_both_nodes_equally() -> None:
    nodes = machine(1e-6, 50.0, 20.0)
    hits = np.linspace(0.5, 0.95, 181)
    best = hits[np.argmax([solved(nodes, 10_000, 0.0, float(h))[0] for h in hits])]
    assert best == pytest.approx(50 / 70, abs=0.004)


def test_the_solution_satisfies_its_own_equations() -> None:
    nodes = machine(0.1, 60.0, 20.0)
    throughput, latency, utilisation = solved(nodes, 200, 10.0, 0.7)
    for nid, share in ((DRAM, 0.7), (CXL, 0.3)):
        assert utilisation[nid] == pytest.approx(throughput * share * 64 / nodes.read_gb_s[nid])
        assert latency[nid] == pytest.approx(loaded_latency(nodes, nid, utilisation[nid]))
    assert throughput == pytest.approx(200 / (10 + 0.7 * latency[0] + 0.3 * latency[1]))


def test_migration_copies_slow_the_accesses_down() -> None:
    nodes = machine(0.1, 60.0, 20.0)
    quiet, _, _ = solved(nodes, 40, 0.0, 0.5)
    busy, latency, utilisation = solved(nodes, 40, 0.0, 0.5, copies=10.0)
    assert busy < quiet
    assert utilisation[CXL] > 0.5
    assert latency[CXL] > 250.0


def test_writes_use_the_write_side() -> None:
    nodes = machine(1e-6, 50.0, 20.0)
    load = Load(
        np.array([10_000.0]),
        np.zeros(1),
        np.ones(1),
        np.array([[1.0], [0.0]]),
        np.zeros(2),
        np.zeros(2),
    )
    throughput = np.zeros(1)
    solve(nodes, load, nodes.idle_ns.copy(), np.zeros(2), throughput, room(1))
    assert throughput[0] == pytest.approx(25 / 64, rel=1e-3)


def test_a_finished_process_asks_for_nothing() -> None:
    throughput, _, utilisation = solved(machine(0.1, 60.0, 20.0), 0.0, 0.0, 0.5)
    assert throughput == 0.0
    assert utilisation.max() < 1e-12
