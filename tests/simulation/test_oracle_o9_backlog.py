"""Oracle O9: the backlog of the migration thread, in whole simulations.

Every scan reports the folios of a hot mm; all are pinned, so each costs the thread d seconds and is
reported again. With a reported a second the thread keeps up if a d < 1, else the backlog grows at
a - 1 / d, and in any case its mean is a times the mean wait (Little).
"""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.simulation.scenarios import TINY
from tiering.model.metrics import row_dtype
from tiering.simulation.load import load_text
from tiering.simulation.loop import Simulation

HOT, IDLE = 4096, 16384  # folios
PERIOD_MS, SLEEP_MS = 100, 1
TEXT = (
    TINY.split("[[processes]]", maxsplit=1)[0]
    + """
[[processes]]
name = "hot"
threads = 16
[[processes.vmas]]
size_mib = 16.0
node = "CXL"
pinned_pct = 100.0
IDLE_PROCESS
[migration]
owner = "thread"
thread_sleep_ms = 1
batch_us = 0.0
[pte_scan]
scan_period_ms = 100
scan_period_min_ms = 100
scan_period_max_ms = 100
scan_sleep_ms = 1
"""
)
IDLE_PROCESS = """
[[processes]]
name = "idle"
threads = 1
think_ns = 1e12
[[processes.vmas]]
size_mib = 64.0
node = "CXL"
pinned_pct = 100.0
"""


def rows_of(service_us: float, until_s: float, idle: bool = False) -> NDArray[Any]:
    text = TEXT.replace("IDLE_PROCESS", IDLE_PROCESS if idle else "")
    changes = {"until_s": until_s, "sample_ms": 10, "migration.folio_us": service_us}
    simulation = Simulation(load_text(text, "backlog", changes), 1)
    rows = []
    while not simulation.done:
        rows.append(simulation.next_block().array(row_dtype(simulation.shape)))
    return np.concatenate(rows)


def arrivals_s(rows: NDArray[Any]) -> float:
    """a: candidates a second, over whole periods."""
    change = np.flatnonzero(np.diff(rows["pgpromote_candidate"]))
    first, last = change[1], change[-1]
    new = rows["pgpromote_candidate"][last] - rows["pgpromote_candidate"][first]
    return float(new / (rows["time_ns"][last] - rows["time_ns"][first]) * 1e9)


@pytest.mark.parametrize("load", [0.5, 0.85])
def test_a_thread_that_can_keep_up_does(load: float) -> None:
    """Stable iff a d < 1: each period's candidates are gone before the next ones come."""
    service_us = load * PERIOD_MS * 1e3 / HOT
    rows = rows_of(service_us, 10.0)
    assert arrivals_s(rows) * service_us / 1e6 < 1.0
    assert rows["queue_len"].max() <= HOT
    late = rows["queue_len"][500:].reshape(-1, 20)  # some two periods each
    assert (late.min(axis=1) == 0).all()


@pytest.mark.parametrize("load", [1.1, 2.0])
def test_a_thread_that_cannot_falls_behind_at_the_fluid_rate(load: float) -> None:
    service_us = load * PERIOD_MS * 1e3 / HOT
    rows = rows_of(service_us, 10.0)
    growth = arrivals_s(rows) - 1e6 / service_us
    assert growth > 0
    off = rows["queue_len"] - growth * rows["time_ns"] / 1e9
    assert np.abs(off).max() < 1.02 * HOT  # a period's candidates come at once
    assert rows["queue_len"][-1] > 2 * HOT
    assert rows["queue_age_ms"][-1] > rows["queue_age_ms"][300] > 0


def test_one_backlog_is_not_the_other() -> None:
    """Negative control: at a load of 0.85 there is no growth, at 1.1 the queue is never empty."""
    keeps_up, falls_behind = (rows_of(load * PERIOD_MS * 1e3 / HOT, 5.0) for load in (0.85, 1.1))
    growth = arrivals_s(falls_behind) * (1 - 1 / 1.1)
    off = keeps_up["queue_len"] - growth * keeps_up["time_ns"] / 1e9
    assert np.abs(off).max() > 2 * HOT
    assert falls_behind["queue_len"][10:].min() > 0


@pytest.mark.parametrize("load", [0.3, 0.6])
def test_a_list_drains_in_the_time_that_new_arrivals_leave(load: float) -> None:
    """The first scan reports idle folios too, B in all; then B d / (1 - a d)."""
    service_us = load * PERIOD_MS * 1e3 / HOT
    rows = rows_of(service_us, 5.0, idle=True)
    listed = HOT + IDLE
    assert rows["pgpromote_candidate"][0] == listed
    expected = listed * service_us / 1e6 / (1 - arrivals_s(rows[100:]) * service_us / 1e6)
    drained = rows["time_ns"][np.flatnonzero(rows["queue_len"] == 0)[0]] / 1e9
    burst = HOT * service_us / 1e6  # arrivals are no fluid: a period's list more or less
    assert drained == pytest.approx(expected, abs=burst + 0.02)
    unopposed = listed * service_us / 1e6
    assert drained > unopposed + burst


@pytest.mark.parametrize("load", [0.3, 0.85])
def test_the_mean_backlog_is_arrivals_times_the_mean_wait(load: float) -> None:
    """Mean backlog = arrivals a second x mean wait, over a time that begins and ends empty."""
    rows = rows_of(load * PERIOD_MS * 1e3 / HOT, 20.0)
    empty = np.flatnonzero(rows["queue_len"] == 0)
    rows = rows[empty[0] : empty[-1] + 1]
    handled = np.diff(rows["pgmigrate_fail"])
    waited_ms = float((rows["candidate_age_ms"][1:] * handled).sum())
    seconds = (rows["time_ns"][-1] - rows["time_ns"][0]) / 1e9
    backlog = rows["queue_len"][:-1].mean()
    assert backlog == pytest.approx(waited_ms / 1e3 / seconds, rel=0.02)
    assert backlog != pytest.approx(1.1 * waited_ms / 1e3 / seconds, rel=0.02)
