"""Oracle O9: one scanner for many mms, in whole simulations.

With a visit of c_j to each mm every P, the cycle is max(P, sum of all c_j + pause). V0 counts a
period from the end of a visit, so its P is the period and c_j, and it looks once a pause whether
anybody is due: below saturation an interval is up to a pause longer.
"""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tests.simulation.scenarios import tiny
from tiering.model.metrics import row_dtype
from tiering.simulation.loop import Simulation

P_THRESHOLD = 1e-4
NR_FOLIOS = 8192  # of an mm
PTE_NS, VISIT_NS = 1000, 1000
VISIT_MS = (NR_FOLIOS * PTE_NS + VISIT_NS) / 1e6
PERIOD_MS, PAUSE_MS = 100, 1
SATURATED = 14  # mms from which 14 x 8.193 + 1 ms exceed 100 + 8.193 ms


def rows_of(nr_mms: int, **changes: Any) -> NDArray[Any]:
    """Equal mms, one PTE a microsecond, on a node where nothing is found unless said otherwise."""
    knobs = {
        "scan_period_ms": PERIOD_MS, "scan_period_min_ms": PERIOD_MS,
        "scan_period_max_ms": PERIOD_MS, "scan_sleep_ms": PAUSE_MS, "mms_to_scan": nr_mms,
        "pte_top_ns": float(PTE_NS), "pte_slow_ns": float(PTE_NS), "visit_ns": VISIT_NS,
    }  # fmt: skip
    given: dict[str, Any] = {f"pte_scan__{name}": value for name, value in knobs.items()}
    given |= {"processes__0__count": nr_mms, "processes__0__vmas__0__size_mib": 32.0}
    given |= {"processes__0__vmas__0__node": "DRAM", "nodes__0__capacity_mib": 4096}
    simulation = Simulation(tiny(**given | {"until_s": 5.0} | changes), 1)
    rows = []
    while not simulation.done:
        rows.append(simulation.next_block().array(row_dtype(simulation.shape)))
    return np.concatenate(rows)


def cycle_ms(nr_mms: int) -> float:
    return max(PERIOD_MS + VISIT_MS, nr_mms * VISIT_MS + PAUSE_MS)


@pytest.mark.parametrize("nr_mms", [1, 4, SATURATED - 1, SATURATED, 20, 40])
def test_the_interval_of_every_mm_is_the_cycle(nr_mms: int) -> None:
    rows = rows_of(nr_mms)
    intervals = rows["mm.scan_interval_ms"][20:]
    if nr_mms >= SATURATED:
        assert intervals == pytest.approx(cycle_ms(nr_mms), abs=2e-6)
    else:
        assert (intervals >= cycle_ms(nr_mms)).all()
        assert (intervals <= cycle_ms(nr_mms) + PAUSE_MS + 1e-3).all()
    late = intervals > 1.1 * PERIOD_MS
    assert late.all() or not late.any()
    assert (rows["mm.missed_deadlines"][-1] > 0).all() == bool(late.any())


@pytest.mark.parametrize("nr_mms", [1, 4, 20, 40])
def test_the_scanner_uses_its_share_of_a_cpu_and_no_more(nr_mms: int) -> None:
    """sum c_j / P below saturation, all but the pause above."""
    rows = rows_of(nr_mms)
    busy = np.diff(rows["thread.busy_ns"][[10, -1], 0])[0] / np.diff(rows["time_ns"][[10, -1]])[0]
    longest = nr_mms * VISIT_MS / cycle_ms(nr_mms)
    shortest = nr_mms * VISIT_MS / (cycle_ms(nr_mms) + (PAUSE_MS if nr_mms < SATURATED else 0))
    edge = 2 * nr_mms * VISIT_MS / 4000  # a cycle more or less in four seconds
    assert shortest - edge < busy < longest + edge
    assert busy <= 1.0


def test_two_threads_do_not_have_the_cycle_of_one() -> None:
    """Negative control: they share the list, so each has half of it."""
    rows = rows_of(40, pte_scan__nr_threads=2, pte_scan__mms_to_scan=20)
    intervals = rows["mm.scan_interval_ms"][20:]
    assert intervals == pytest.approx(cycle_ms(20), abs=2e-6)
    assert (intervals < 0.6 * cycle_ms(40)).all()


@pytest.mark.parametrize("nr_mms", [4, 40])
def test_past_saturation_a_scan_sees_more_and_comes_rarer(nr_mms: int) -> None:
    """A scan finds a folio not found before with probability 1 - exp(-L cycle).

    V0's useful folios are those found by any scan since the first. Everything is pinned, so that
    nothing moves and all speeds stay.
    """
    rows = rows_of(
        nr_mms, processes__0__vmas__0__node="CXL", processes__0__vmas__0__pinned_pct=100.0,
        processes__0__threads=1, processes__0__think_ns=4e4, nodes__1__capacity_mib=4096,
        migration__owner="thread", until_s=2.0,
    )  # fmt: skip
    new, left, windows = 0, 0, []
    for mm in range(nr_mms):
        visits = rows["mm.nr_visits"][:, mm]
        second, third = (rows[np.flatnonzero(visits == visit)[0]] for visit in (2, 3))
        before = int(second["mm.scan_useful"][mm])
        new += int(third["mm.scan_useful"][mm]) - before
        left += NR_FOLIOS - before
        seconds = third["mm.scan_interval_ms"][mm] / 1e3
        windows.append(seconds * third["mm.throughput"][mm] / NR_FOLIOS)
        assert seconds * 1e3 == pytest.approx(cycle_ms(nr_mms), abs=PAUSE_MS + 1e-3)
    window = float(np.mean(windows))
    assert np.ptp(windows) < 0.02 * window
    assert stats.binomtest(new, left, -math.expm1(-window)).pvalue > P_THRESHOLD
    in_time = -math.expm1(-window * PERIOD_MS / cycle_ms(nr_mms))  # negative control
    assert stats.binomtest(new, left, in_time).pvalue < P_THRESHOLD


@pytest.mark.parametrize(("split", "size", "visits"), [(32, 64, 3), (32, 160, 1), (40, 40, 4)])
def test_covering_an_mm_takes_one_visit_for_each_scan_size(
    split: int, size: int, visits: int
) -> None:
    """160 MiB: ceil(160 / size) visits, each an interval after the one before."""
    rows = rows_of(
        1, processes__0__vmas__0__size_mib=160.0, processes__0__vmas__0__split_mib=float(split),
        pte_scan__pte_top_ns=1.0, pte_scan__scan_size_mib=size, pte_scan__scan_size_min_mib=size,
        pte_scan__scan_size_max_mib=size,
    )  # fmt: skip
    assert visits == math.ceil(160 / size)
    last = rows[-1]
    passes = last["mm.nr_scanned"][0] / (160 * 256)
    assert last["mm.nr_visits"][0] == pytest.approx(visits * passes, abs=visits)
    interval = last["mm.scan_interval_ms"][0]
    walk_ms = 160 * 256 / 1e6
    assert last["mm.full_scan_ms"][0] == pytest.approx(
        (visits - 1) * interval, abs=visits * PAUSE_MS + walk_ms
    )
    assert 5000 / passes == pytest.approx(visits * interval, rel=0.03, abs=visits * PAUSE_MS)
