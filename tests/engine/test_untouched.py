import numpy as np
import pytest

from tests.engine.machines import Layout, laid_out, row_rates
from tiering.engine.folios import GRANULE, UNTOUCHED, Memory
from tiering.engine.look import latch
from tiering.engine.sweep import sweep_table
from tiering.engine.touch import Rates, scratch
from tiering.engine.untouched import untouched_pages

ROOM = 1 << 24


def waiting(memory: Memory) -> int:
    """Pages whose folio has the flag."""
    places = np.flatnonzero(memory.folio & np.uint32(UNTOUCHED))
    return int(memory.pages[memory.row0[places // GRANULE]].sum())


def asked(memory: Memory, rates: Rates, tau: list[float]) -> int:
    return int(untouched_pages(memory, rates, scratch(), np.array(tau), 0, memory.nr.size))


def test_pages_of_all_orders_are_counted_while_nothing_is_touched() -> None:
    memory = laid_out([Layout(20, 0, 0), Layout(3, 4, 0), Layout(2, 9, 0)], [ROOM, ROOM])
    memory.folio[[3, 4, GRANULE + 1, 2 * GRANULE]] |= np.uint32(UNTOUCHED)
    assert asked(memory, row_rates([0.0] * 3), [1e9]) == 2 + 16 + 512


@pytest.mark.parametrize("nr", [5, 3000, GRANULE])
@pytest.mark.parametrize("share", [0.0, 0.3, 1e9])
def test_asking_gives_what_the_next_look_would_find_and_changes_nothing(
    nr: int, share: float
) -> None:
    memory, rates = laid_out([Layout(nr, 0, 0)], [ROOM, ROOM]), row_rates([share])
    memory.folio[:nr:3] |= np.uint32(UNTOUCHED)
    before: list[np.ndarray] = [memory.folio.copy(), memory.last.copy(), memory.looks.copy()]
    found = asked(memory, rates, [2.0])
    assert found == asked(memory, rates, [2.0])
    after: list[np.ndarray] = [memory.folio, memory.last, memory.looks]
    for old, new in zip(before, after, strict=True):
        assert np.array_equal(old, new)
    latch(memory, rates, scratch(), 0, 2.0)
    assert found == waiting(memory)
    if share == 0.3 and nr > 5:
        assert found == pytest.approx(nr / 3 * np.exp(-0.6), rel=0.1)


def test_only_the_granules_asked_for_are_counted() -> None:
    memory = laid_out([Layout(10, 0, 0), Layout(10, 0, 0)], [ROOM, ROOM])
    memory.folio[[0, 1, GRANULE]] |= np.uint32(UNTOUCHED)
    rates, tau = row_rates([0.0, 0.0]), np.zeros(1)
    asked_for = [(0, 1), (1, 2), (0, 2), (1, 1)]
    found = [int(untouched_pages(memory, rates, scratch(), tau, *part)) for part in asked_for]
    assert found == [2, 1, 3, 0]


def test_what_a_sweep_has_not_reached_is_untouched() -> None:
    """64 accesses a page: after 640 accesses ten pages of thirty were touched."""
    memory = laid_out([Layout(30, 0, 0)], [ROOM, ROOM])
    memory.sweep[0] = 0
    memory.folio[:30] |= np.uint32(UNTOUCHED)
    rates = row_rates([1 / 30])._replace(sweeps=sweep_table([(0, GRANULE, 1, 30, 1, 64, 1.0)]))
    assert asked(memory, rates, [640.0]) == 20


def test_a_clock_behind_the_last_look_is_no_window() -> None:
    memory = laid_out([Layout(4, 0, 0)], [ROOM, ROOM])
    memory.folio[:4] |= np.uint32(UNTOUCHED)
    memory.last[0] = 100.0
    assert asked(memory, row_rates([1e9]), [50.0]) == 4
