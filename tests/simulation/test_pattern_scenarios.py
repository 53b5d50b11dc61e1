"""What the scenarios of the topic Access patterns show, in the words of their questions."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tiering.model.metrics import row_dtype
from tiering.simulation.load import load_file
from tiering.simulation.loop import Simulation


def rows_of(name: str, until_s: float) -> NDArray[Any]:
    simulation = Simulation(load_file(name, {"until_s": until_s}), 1)
    rows = []
    while not simulation.done:
        rows.append(simulation.next_block().array(row_dtype(simulation.shape)))
    return np.concatenate(rows)


def test_a_window_that_moves_on_leaves_dram_worth_no_more_than_its_size() -> None:
    """DRAM holds a quarter of the memory, and in the long run serves a quarter of the accesses."""
    rows = rows_of("moving-hot-set", 210.0)
    second_lap = rows["top_tier_share"][rows["time_ns"] > 105e9]
    assert second_lap.min() < 0.05
    assert second_lap.max() > 0.8
    assert second_lap.mean() == pytest.approx(0.25, abs=0.03)
    assert rows["oracle_share"].min() > 0.9


def test_hot_sets_that_find_no_room_cost_a_whole_cpu() -> None:
    rows = rows_of("alternating-hot-sets", 40.0)
    late = rows["time_ns"] > 10e9
    assert rows["top_tier_share"][late].max() < 0.3
    assert rows["thread.busy_share"][late].mean() > 0.99
    assert np.diff(rows["migrate_no_room"][late]).min() > 0


def test_a_scan_from_the_cold_edge_never_reaches_the_hot_middle() -> None:
    rows = rows_of("gaussian-skew", 10.0)
    assert rows["top_tier_share"][-1] < 0.01
    assert rows["oracle_share"][-1] == pytest.approx(0.9, abs=0.005)
