"""What scenarios/page-cache-reads.toml shows, in the words of its question."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.simulation.scenarios import TINY
from tiering.engine.folios import CLASS_MASK, GRANULE, LIST_MASK, LIST_SHIFT, SLOW
from tiering.model.metrics import row_dtype
from tiering.simulation.build import build
from tiering.simulation.load import load_file, load_text
from tiering.simulation.loop import Simulation

LATE_COMER = """
[[processes]]
name = "late"
threads = 1
start_s = 1.0
[[processes.vmas]]
size_mib = 16.0
"""


def finished(simulation: Simulation) -> NDArray[Any]:
    rows = []
    while not simulation.done:
        rows.append(simulation.next_block().array(row_dtype(simulation.shape)))
    return np.concatenate(rows)


def words(simulation: Simulation, name: str) -> NDArray[np.uint32]:
    """Folio words of a VMA of the first process."""
    memory = simulation.world.memory
    (vma,) = [vma for vma in simulation.world.vmas[0] if vma.name == name]
    granules = range(vma.first, vma.end)
    return np.concatenate([memory.folio[g * GRANULE :][: memory.nr[g]] for g in granules])


def slow_share(simulation: Simulation, name: str) -> float:
    return float(((words(simulation, name) & np.uint32(SLOW)) != 0).mean())


def test_a_scanner_of_page_tables_never_sees_page_cache_that_nobody_maps() -> None:
    simulation = Simulation(load_file("page-cache-reads", {"until_s": 20.0}), 1)
    rows = finished(simulation)
    assert slow_share(simulation, "index") == 1.0  # half of all accesses, and not a page moved
    assert slow_share(simulation, "heap") < 0.1
    assert slow_share(simulation, "log") > 0.3  # what was not read twice made room
    assert 0.4 < rows["top_tier_share"][-1] < 0.5
    assert rows["oracle_share"][-1] > 0.94
    assert simulation.result()["metrics"]["recall"] < 0.1


def test_the_same_accesses_to_mapped_memory_are_seen() -> None:
    """The negative control: mmap() the index instead."""
    overrides = {"until_s": 20.0, "processes.0.vmas.1.kind": "anon"}
    simulation = Simulation(load_file("page-cache-reads", overrides), 1)
    rows = finished(simulation)
    assert slow_share(simulation, "index") < 0.8
    assert rows["top_tier_share"][-1] > 0.6
    assert simulation.result()["metrics"]["recall"] > 0.5  # hot, and touched since it sank


def test_what_is_read_twice_stays_on_dram_where_reclaim_needs_room() -> None:
    """48 MiB of files on 64 MiB of DRAM, half of them hot; after a second somebody else comes."""
    hot = {"pattern": "hot_set", "size_mib": 48.0, "kind": "page_cache", "node": "DRAM"}
    hot |= {"hot_set.hot_size_pct": 50.0, "hot_set.hot_access_pct": 99.9}
    changes = {f"processes.0.vmas.0.{key}": value for key, value in hot.items()}
    changes |= {"preset": "none", "until_s": 3.0}
    changes |= {"reclaim.demotion_enabled": True, "reclaim.demote_scale_factor": 500}
    simulation = Simulation(load_text(TINY + LATE_COMER, "late", changes), 1)
    rows = finished(simulation)
    assert rows["pgdemote_kswapd"][9] == 0 < rows["pgdemote_kswapd"][-1]
    folios = words(simulation, "heap")
    hot_ones = (folios & np.uint32(CLASS_MASK)) == 0
    sunken = (folios & np.uint32(SLOW)) != 0
    active = (folios & np.uint32(LIST_MASK)) >> np.uint32(LIST_SHIFT) == 1
    assert sunken[hot_ones].mean() < 0.01
    assert sunken[~hot_ones].mean() > 0.1
    looked_at = np.arange(folios.size) < GRANULE  # reclaim came no further
    assert active[looked_at & hot_ones].mean() > 0.99


@pytest.mark.parametrize("lru", ["active_inactive", "mglru"])
def test_books_balance_and_bytes_repeat_with_page_cache(lru: str) -> None:
    overrides = {"until_s": 3.0, "reclaim.lru": lru}
    scenario = load_file("page-cache-reads", overrides)
    first = finished(Simulation(scenario, 1))
    assert first.tobytes() == finished(Simulation(scenario, 1)).tobytes()
    assert first.tobytes() != finished(Simulation(scenario, 2)).tobytes()


def test_only_page_cache_is_without_page_tables() -> None:
    world = build(load_file("page-cache-reads"), 1)
    for vma in world.vmas[0]:
        mapped = world.memory.unmapped[vma.first : vma.end] == 0
        assert mapped.all() if vma.scanned else not mapped.any()
    assert [vma.scanned for vma in world.vmas[0]] == [False, False, True]
