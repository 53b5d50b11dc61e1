"""Oracle O12: promoted - demoted + allocated - freed is the change of what is resident on a node.

Checked every 20 ms, for the machine by node and for every mm. What is allocated and freed is
counted where it happens; everything but one process is pinned, so all that moves is its own.
"""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.simulation.scenarios import composed
from tiering.engine.invariants import check_books
from tiering.model.metrics import row_dtype
from tiering.simulation import population
from tiering.simulation.loop import Simulation

DRAM, CXL = 0, 1  # nids
MIB = 256  # pages
MOVER, SHORT, GROWER = range(3)  # mms
PINNED: dict[str, Any] = {"pinned_pct": 100.0}
NODES = [
    {"name": "DRAM", "tier": 0, "capacity_mib": 4},
    {"name": "CXL", "tier": 1, "latency_ns": 250.0, "capacity_mib": 16},
]


def processes(order: int) -> list[dict[str, Any]]:
    """One whose hot set moves, short lives, and one that grows over DRAM into CXL."""
    window = {"hot_size_pct": 25.0, "step_pct": 12.5, "phase_accesses": 2000.0}
    moving = {"size_mib": 4.0, "node": "CXL", "pattern": "moving_hot_set", "order": order}
    growing = {"steps": 6, "step_accesses": 100_000.0}
    grower = {"size_mib": 3.0, "pattern": "growing", "growing": growing} | PINNED
    lives = {"start_s": 0.05, "lifetime_s": 0.3, "every_s": 0.7}
    return [
        {"name": "mover", "think_ns": 1e5, "vmas": [moving | {"moving_hot_set": window}]},
        {"name": "short", "vmas": [{"size_mib": 0.5} | PINNED]} | lives,
        {"name": "grower", "vmas": [grower]},
    ]


class Ledger:
    """pages: i64[P, N] allocated less freed since the begin of the run."""

    def __init__(self, simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pages = np.zeros((len(simulation.world.mms), 2), np.int64)

        def counted(loop: Any) -> Any:
            def call(*arguments: Any) -> Any:
                before = resident(simulation)
                result = loop(*arguments)
                self.pages += resident(simulation) - before
                return result

            return call

        for name in ("fill", "unplace"):
            monkeypatch.setattr(population, name, counted(getattr(population, name)))


def resident(simulation: Simulation) -> NDArray[np.int64]:
    """i64[P, N] pages of each process on each node."""
    world = simulation.world
    pages = world.memory.resident * world.memory.pages[:, None]
    rows = zip(world.rates.row_at, world.rates.nr_rows, strict=True)
    return np.array([pages[at : at + nr].sum(axis=0) for at, nr in rows], np.int64)


@pytest.mark.parametrize("order", [0, 4])
@pytest.mark.parametrize("owner", ["scanner", "thread"])
@pytest.mark.parametrize("lru", ["active_inactive", "mglru"])
def test_o12_pages_that_came_and_went_balance_by_node_and_mm(
    lru: str, owner: str, order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {
        "reclaim__demotion_enabled": True, "reclaim__lru": lru, "reclaim__min_free_kbytes": 400,
        "reclaim__watermark_scale_factor": 300, "migration__owner": owner, "until_s": 3.3,
        "sample_ms": 10, "pte_scan__scan_period_min_ms": 50, "pte_scan__scan_period_ms": 50,
    }  # fmt: skip
    simulation = Simulation(composed(processes(order), NODES, **changes), 1)
    world, memory = simulation.world, simulation.world.memory
    ledger, begin = Ledger(simulation, monkeypatch), resident(simulation)
    rose = sank = 0
    while not simulation.done:
        row = simulation.next_block().array(row_dtype(simulation.shape))[-1]
        rose = int(row["pgpromote_success"])
        sank = int(row["pgdemote_kswapd"] + row["pgdemote_direct"])
        moved = np.zeros_like(begin)
        moved[MOVER] = rose - sank, sank - rose
        now = resident(simulation)
        assert np.array_equal(now - begin, moved + ledger.pages)
        assert np.array_equal(now.sum(axis=0), world.capacity - memory.free)
        check_books(memory, world.capacity, world.top_tier)
    assert rose > 0
    assert sank > 0
    assert ledger.pages[SHORT].tolist() == [0, 0], "its last life is over"
    assert ledger.pages[GROWER].sum() > 0


@pytest.mark.parametrize("demoting", [False, True])
@pytest.mark.parametrize("owner", ["scanner", "thread"])
def test_o12_a_flat_workload_that_fits_rises_once_and_nothing_sinks(
    owner: str, demoting: bool
) -> None:
    app = {"threads": 2, "vmas": [{"size_mib": 6.0, "node": "CXL"}]}
    nodes = [NODES[DRAM] | {"capacity_mib": 8}, NODES[CXL]]
    changes = {"migration__owner": owner, "reclaim__demotion_enabled": demoting}
    simulation = Simulation(composed([app], nodes, **changes, until_s=5.0), 1)
    while not simulation.done:
        simulation.next_block()
    counters = simulation.result()["counters"]
    assert counters["pgpromote_success"] == 6 * MIB
    assert counters["pgdemote_kswapd"] == counters["pgdemote_direct"] == 0
