"""TPP's rule: what is active rises, what is not is activated."""

import numpy as np
import pytest

from tests.engine.machines import Layout, laid_out
from tiering.engine.folios import ACTIVE, AS_IT_IS, GRANULE, INACTIVE, LIST_MASK, LIST_SHIFT
from tiering.engine.invariants import check_books
from tiering.engine.reports import in_runs
from tiering.promotion.active_list import ActiveList

NOBODY_KNOWS = np.zeros(0, np.int64)


@pytest.mark.parametrize("order", [0, 4, 9])
def test_the_first_time_activates_and_the_second_lets_pass(order: int) -> None:
    memory = laid_out([Layout(10, order)], [1 << 22, 1 << 22])
    memory.entry[:] = AS_IT_IS
    rule = ActiveList(memory)
    hot = in_runs(np.array([1, 4, 7], np.uint32), 5)
    assert rule.choose(hot, NOBODY_KNOWS, 0).folios.tolist() == []
    assert memory.on_list[1, INACTIVE] == 7 << order
    assert memory.on_list[1, ACTIVE] == 3 << order
    chosen = rule.choose(in_runs(np.array([1, 2, 7], np.uint32), 9), NOBODY_KNOWS, 0)
    assert (chosen.folios.tolist(), chosen.stamps.tolist()) == ([1, 7], [9])
    assert rule.counters == {"promote_inactive": 4}
    check_books(memory, np.array([1 << 22, 1 << 22]), np.array([True, False]))


def test_what_was_deactivated_meanwhile_begins_anew() -> None:
    memory = laid_out([Layout(10)], [1 << 22, 1 << 22])
    memory.entry[:] = AS_IT_IS
    rule = ActiveList(memory)
    hot = in_runs(np.array([3], np.uint32))
    rule.choose(hot, NOBODY_KNOWS, 0)
    memory.folio[3] &= np.uint32(~LIST_MASK & 0xFFFFFFFF)
    memory.on_list[1] = [10, 0, 0, 0]
    assert rule.choose(hot, NOBODY_KNOWS, 0).folios.tolist() == []
    assert rule.choose(hot, NOBODY_KNOWS, 0).folios.tolist() == [3]


def test_by_generations_the_two_youngest_are_active_and_others_become_the_youngest() -> None:
    memory = laid_out([Layout(10), Layout(10)], [1 << 22, 1 << 22])
    memory.entry[:] = 3
    memory.on_list[1] = 0
    for index in range(4):
        memory.folio[index] |= np.uint32(index << LIST_SHIFT)
        memory.on_list[1, index] += 1
    rule = ActiveList(memory)
    first = rule.choose(in_runs(np.array([0, 1, 2, 3], np.uint32)), NOBODY_KNOWS, 0)
    assert first.folios.tolist() == [2, 3]
    assert memory.on_list[1].tolist() == [0, 0, 1, 3]
    assert rule.choose(in_runs(np.array([0], np.uint32)), NOBODY_KNOWS, 0).folios.tolist() == [0]
    assert GRANULE > 10
