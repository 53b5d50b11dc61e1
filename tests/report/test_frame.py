from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.simulation.scenarios import tiny
from tiering.model.metrics import RowShape, row_dtype, schema
from tiering.report import load
from tiering.simulation.loop import Simulation

SHAPE = RowShape(("DRAM", "CXL"), ("a", "b-0"), ("kmmscand",))


def rows(nr: int) -> np.ndarray[Any, np.dtype[Any]]:
    """Rows of which every value is another whole number."""
    table = np.zeros(nr, row_dtype(SHAPE))
    table.view("<f8")[:] = np.arange(table.nbytes // 8)
    table["time_ns"] = np.arange(1, nr + 1) * 100_000_000
    return table


def test_rows_become_a_table_over_simulated_time() -> None:
    table = rows(3)
    frame = load(table.tobytes(), schema(SHAPE))
    assert frame.index.tolist() == [pd.Timedelta(milliseconds=ms) for ms in (100, 200, 300)]
    assert frame.index.name == "time"
    assert "time_ns" not in frame
    assert frame["throughput"].tolist() == table["throughput"].tolist()
    assert frame["node.resident_mib[CXL]"].tolist() == table["node.resident_mib"][:, 1].tolist()
    assert frame["mm.progress[b-0]"].tolist() == table["mm.progress"][:, 1].tolist()
    both = table["mm_node.resident_mib"]
    assert frame["mm_node.resident_mib[b-0, DRAM]"].tolist() == both[:, 1, 0].tolist()
    assert frame["mm_node.resident_mib[a, CXL]"].tolist() == both[:, 0, 1].tolist()
    assert frame["thread.busy_ns[kmmscand]"].tolist() == table["thread.busy_ns"][:, 0].tolist()


def test_a_run_can_be_asked_by_time() -> None:
    simulation, blocks = Simulation(tiny(until_s=2.0), 1), []
    while not simulation.done:
        blocks.append(simulation.next_block().rows)
    frame = load(b"".join(blocks), schema(simulation.shape))
    assert len(frame) == 20
    assert len(frame.loc[pd.Timedelta("500ms") : pd.Timedelta("1s")]) == 6
    assert frame["mm.nr_visits[app]"].is_monotonic_increasing


def test_no_rows_are_an_empty_table_and_half_a_row_is_refused() -> None:
    assert load(b"", schema(SHAPE)).empty
    half = rows(1).tobytes()[:-8]
    with pytest.raises(ValueError, match=f"^{len(half)} bytes are no whole rows of "):
        load(half, schema(SHAPE))
