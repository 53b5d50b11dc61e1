"""Looks at single folios: one truth with looks at whole granules, at a bounded cost."""

import math

import numpy as np
import pytest
from scipy import stats

from tests.engine.machines import Layout, flat_memory, flat_rates, laid_out
from tiering.engine.folios import (
    ACCESSED,
    ACTIVE,
    AS_IT_IS,
    FAULTED,
    GRANULE,
    HINT,
    LIST_MASK,
    LIST_SHIFT,
    REFERENCED,
    UNTOUCHED,
    Memory,
)
from tiering.engine.look import latch
from tiering.engine.own import MOST
from tiering.engine.own_look import FEW, latch_one, latch_some
from tiering.engine.sweep import sweep_table
from tiering.engine.touch import scratch

P_THRESHOLD = 1e-4
SCRATCH = scratch()


def accessed(memory: Memory, index: int) -> bool:
    return bool(memory.folio[index] & np.uint32(ACCESSED))


def clear(memory: Memory) -> None:
    memory.folio[:] &= ~np.uint32(ACCESSED)


def test_one_folio_is_looked_at_and_no_other() -> None:
    memory = flat_memory(100, sampled=True)
    latch_one(memory, flat_rates(1e3), SCRATCH, 7, 1.0)
    assert [i for i in range(100) if accessed(memory, i)] == [7]
    assert memory.last[0] == 0.0
    assert memory.own.nr[0] == 1
    assert memory.own.tau[0, 0] == 1.0


def test_a_second_look_begins_where_the_first_ended() -> None:
    """Nothing is touched between 1 and 1, and surely something between 1 and 2."""
    memory, rates = flat_memory(100, sampled=True), flat_rates(1e3)
    latch_one(memory, rates, SCRATCH, 7, 1.0)
    clear(memory)
    latch_one(memory, rates, SCRATCH, 7, 1.0)
    assert not accessed(memory, 7)
    latch_one(memory, rates, SCRATCH, 7, 2.0)
    assert accessed(memory, 7)
    assert memory.own.nr[0] == 1


def test_a_look_at_the_granule_does_not_draw_again_what_was_drawn() -> None:
    """All were touched until 1; folio 7, looked at and cleared at 1, was not touched since."""
    memory, rates = flat_memory(100, sampled=True), flat_rates(1e3)
    latch_one(memory, rates, SCRATCH, 7, 1.0)
    clear(memory)
    latch(memory, rates, SCRATCH, 0, 1.0)
    assert [i for i in range(100) if not accessed(memory, i)] == [7]
    clear(memory)
    latch(memory, rates, SCRATCH, 0, 2.0)
    assert all(accessed(memory, i) for i in range(100)), "its own time is over"


def test_a_look_behind_the_time_of_a_folio_sees_nothing_of_it() -> None:
    """Threads have clocks of their own: one may look at 3 before another does at 2."""
    memory, rates = flat_memory(10, sampled=True), flat_rates(1e3)
    latch_one(memory, rates, SCRATCH, 7, 3.0)
    clear(memory)
    latch(memory, rates, SCRATCH, 0, 2.0)
    assert not accessed(memory, 7)
    latch(memory, rates, SCRATCH, 0, 3.0)
    assert not accessed(memory, 7)
    assert accessed(memory, 6)


def test_when_there_is_no_place_for_one_more_the_granule_is_looked_at() -> None:
    memory, rates = flat_memory(1000, sampled=True), flat_rates(1e3)
    for index in range(MOST):
        latch_one(memory, rates, SCRATCH, index, 1.0 + index)
    assert memory.looks[0] == 0
    latch_one(memory, rates, SCRATCH, MOST, 100.0)
    assert memory.looks[0] == 1
    assert memory.last[0] == 100.0
    assert memory.own.nr[0] == 0
    assert accessed(memory, MOST)


def test_folios_of_a_time_that_is_over_make_place() -> None:
    memory, rates = flat_memory(1000, sampled=True), flat_rates(1e3)
    for index in range(MOST):
        latch_one(memory, rates, SCRATCH, index, 1.0)
    latch(memory, rates, SCRATCH, 0, 2.0)
    latch_one(memory, rates, SCRATCH, MOST, 3.0)
    assert memory.looks[0] == 1, "no second look at the granule"
    assert memory.own.nr[0] == 1


def test_few_folios_are_looked_at_one_by_one_and_many_together() -> None:
    memory, rates = flat_memory(1000, sampled=True), flat_rates(1e3)
    latch_some(memory, rates, SCRATCH, 0, 10, 10 + FEW - 1, 1.0)
    assert memory.own.nr[0] == FEW - 1
    assert memory.looks[0] == 0
    latch_some(memory, rates, SCRATCH, 0, 10, 10 + FEW, 2.0)
    assert memory.looks[0] == 1


def test_a_touch_ends_what_waited_for_one() -> None:
    memory = flat_memory(10, sampled=True)
    memory.folio[7] |= np.uint32(UNTOUCHED)
    latch_one(memory, flat_rates(1e3), SCRATCH, 7, 1.0)
    assert not memory.folio[7] & np.uint32(UNTOUCHED)


def test_a_touch_of_a_marked_folio_is_a_fault() -> None:
    memory = flat_memory(10, sampled=True)
    memory.folio[7] |= np.uint32(HINT)
    latch_one(memory, flat_rates(1e3), SCRATCH, 7, 1.0)
    assert memory.folio[7] & np.uint32(FAULTED)


def test_file_pages_that_nobody_maps_are_marked_accessed_as_often_as_they_are_read() -> None:
    memory, rates = flat_memory(10, sampled=True), flat_rates(1e3)
    memory.unmapped[:] = 1
    memory.entry[:] = AS_IT_IS
    latch_one(memory, rates, SCRATCH, 7, 1.0)
    value = int(memory.folio[7])
    assert not value & ACCESSED
    assert (value & LIST_MASK) >> LIST_SHIFT == ACTIVE
    assert value & REFERENCED
    latch(memory, rates, SCRATCH, 0, 1.0)
    assert int(memory.folio[7]) == value, "nothing was read since then"


def test_a_swept_folio_is_touched_when_the_sweep_comes() -> None:
    """One page an access: page 7 of 10 at the accesses 7, 17, .."""
    memory = laid_out([Layout(10)], [1 << 20, 1 << 20], sampled=True)
    memory.sweep[:] = 0
    rates = flat_rates(0.1)._replace(sweeps=sweep_table([(0, GRANULE, 1, 10, 1, 1, 1.0)]))
    latch_one(memory, rates, SCRATCH, 7, 7.0)
    assert not accessed(memory, 7)
    latch_one(memory, rates, SCRATCH, 7, 8.0)
    assert accessed(memory, 7)
    clear(memory)
    latch(memory, rates, SCRATCH, 0, 17.0)
    assert [i for i in range(10) if accessed(memory, i)] == [0, 1, 2, 3, 4, 5, 6, 8, 9]


@pytest.mark.compiled
def test_bits_have_the_law_whoever_looks_in_which_order() -> None:
    """Folio 5 is looked at alone at 1 and 2, its granule at 1.5 and 3, its bit cleared each time:
    the touches of the four windows are independent and each has its probability."""
    counts = np.zeros((4, 2), np.int64)
    seen = []
    rates = flat_rates(0.7)
    for seed in range(4000):
        memory = flat_memory(100, seed=seed, sampled=True)
        bits = []
        for at, tau in enumerate((1.0, 1.5, 2.0, 3.0)):
            if at % 2:
                latch(memory, rates, SCRATCH, 0, tau)
            else:
                latch_one(memory, rates, SCRATCH, 5, tau)
            bits.append(accessed(memory, 5))
            counts[at, int(bits[-1])] += 1
            clear(memory)
        seen.append(bits)
    for at, window in enumerate((1.0, 0.5, 0.5, 1.0)):
        p = -math.expm1(-0.7 * window)
        assert stats.binomtest(int(counts[at, 1]), 4000, p).pvalue > P_THRESHOLD
    together = np.array(seen)
    for a in range(4):
        for b in range(a):
            table = [[int(np.sum((together[:, a] == i) & (together[:, b] == j))) for i in (0, 1)]
                     for j in (0, 1)]  # fmt: skip
            assert stats.chi2_contingency(table).pvalue > P_THRESHOLD
