"""Modes 1 and 3 of NUMA balancing, and oracle O5 by the source."""

import numpy as np
import pytest
from scipy import stats

from tests.engine.machines import Layout
from tests.sources.faulting import FREE, MS, S, Task
from tiering.engine.folios import GRANULE

NORMAL = FREE._replace(numa_balancing="normal")


def test_in_mode_1_the_top_tier_is_marked_too_and_its_faults_are_local_and_not_reported() -> None:
    one = Task([Layout(512, nid=0), Layout(512)], share=1.0 / MS, knobs=NORMAL)
    one.run(S + 1)
    assert one.updates == 1024
    one.run(S + 200 * MS)
    assert np.concatenate(one.folios).tolist() == list(range(GRANULE, GRANULE + 512))
    assert one.faults == 1024
    assert one.source.counters["numa_hint_faults_local"] == 512


def test_a_lone_thread_does_not_mark_what_is_on_its_node() -> None:
    one = Task([Layout(512, nid=0), Layout(512)], knobs=NORMAL, threads=1)
    one.run(S + 1)
    assert one.marked == list(range(GRANULE, GRANULE + 512))


@pytest.mark.compiled
def test_a_fault_is_private_the_first_time_and_then_if_the_same_thread_is_drawn() -> None:
    one = Task([Layout(2 * GRANULE, nid=0)], share=1.0 / MS, knobs=NORMAL, threads=4)
    one.run(S + 200 * MS)
    counted = one.source.marks.counted[0]
    assert counted.tolist() == [0, 2 * GRANULE, 0, 2 * GRANULE]
    counted[:] = 0
    one.run(2 * S + 200 * MS)
    assert counted.sum() == 4 * GRANULE
    assert stats.binomtest(int(counted[3]), 2 * GRANULE, 0.25).pvalue > 1e-4
    assert stats.binomtest(int(counted[3]), 2 * GRANULE, 0.27).pvalue < 1e-4


@pytest.mark.compiled
def test_o5_marks_until_a_fault_is_fast_enough_and_the_time_that_takes() -> None:
    """Oracle O5 by the source: touched once a second, marked each 10 s, promoted below 1 s."""
    one = Task([Layout(2 * GRANULE)], share=1 / S, knobs=FREE._replace(scan_delay_ms=10_000))
    burnt, late = np.full(2 * GRANULE, -1), np.zeros(2 * GRANULE)
    slow = np.zeros(2 * GRANULE)
    while one.clock < 160 * S:
        one.source.run(0, one.clock, one.clock + 10 * MS, one.pace, True)
        found, first = one.source.reports, 0
        for end, stamp in zip(found.ends, found.stamps, strict=True):
            folios, latency = found.folios[first:end], found.latency_ms[first:end]
            new = burnt[folios] < 0
            slow[folios[new & (latency >= 1000)]] += 1
            fast = folios[new & (latency < 1000)]
            burnt[fast] = -(-(int(stamp) - 10 * S) // (10 * S)) - 1
            late[fast] = latency[new & (latency < 1000)] + 0.5
            first = end
        one.clock += 10 * MS
    assert (burnt >= 0).all()
    success = 1 - np.exp(-1.0)
    tried = int(slow.sum()) + burnt.size
    assert stats.binomtest(burnt.size, tried, success).pvalue > 1e-4
    assert stats.binomtest(burnt.size, tried, success + 0.02).pvalue < 1e-4
    periods = (np.exp(-1.0) + np.exp(-10.0) / (1 - np.exp(-10.0))) / success
    assert stats.ttest_1samp(burnt, periods).pvalue > 1e-4
    assert stats.ttest_1samp(late, 1000 * (1 - np.exp(-1.0) / success)).pvalue > 1e-4
