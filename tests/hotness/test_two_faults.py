"""The two-stage filter: the second report makes hot."""

import numpy as np

from tests.engine.machines import Layout, laid_out
from tiering.engine.folios import GRANULE, fill, unplace
from tiering.engine.reports import in_runs
from tiering.hotness.two_faults import TwoFaults


def test_the_first_report_is_remembered_and_the_second_is_hot() -> None:
    memory = laid_out([Layout(GRANULE + 10)], [1 << 22, 1 << 22])
    memory_of = TwoFaults(memory)
    some = in_runs(np.array([1, 5, GRANULE + 2], np.uint32), 7)
    assert memory_of.record(some, 7, "hint_fault").folios.folios.size == 0
    again = in_runs(np.array([1, 6, GRANULE + 2], np.uint32), 9)
    hot = memory_of.record(again, 9, "hint_fault").folios
    assert hot.folios.tolist() == [1, GRANULE + 2]
    assert (hot.ends.tolist(), hot.stamps.tolist()) == ([1, 2], [9, 9])


def test_latencies_go_with_their_folios() -> None:
    memory_of = TwoFaults(laid_out([Layout(10)], [1 << 22, 1 << 22]))
    memory_of.record(in_runs(np.array([4], np.uint32)), 0, "hint_fault")
    timed = in_runs(np.array([3, 4], np.uint32))._replace(latency_ms=np.array([10, 20], np.int32))
    hot = memory_of.record(timed, 0, "hint_fault")
    assert hot.folios.folios.tolist() == [4]
    assert hot.latency_ms.tolist() == [20]


def test_a_folio_that_was_freed_is_a_new_one() -> None:
    memory = laid_out([Layout(10)], [1 << 22, 1 << 22])
    memory_of = TwoFaults(memory)
    some = in_runs(np.array([4], np.uint32))
    memory_of.record(some, 0, "hint_fault")
    unplace(memory, 0, 1)
    memory_of.forget(0)
    fill(memory, 0, GRANULE, 0, 10, 1, 1)
    assert memory_of.record(some, 0, "hint_fault").folios.folios.size == 0
