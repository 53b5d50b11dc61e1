import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.machines import Layout, laid_out
from tiering.engine.folios import (
    ACCESSED,
    AS_IT_IS,
    CLASS_MASK,
    GRANULE,
    IDLE,
    LIST_MASK,
    LIST_SHIFT,
    NID_MASK,
    NID_SHIFT,
    PINNED,
    REFERENCED,
    SHARED,
    SLOW,
    UNTOUCHED,
    YOUNG,
    Memory,
    fill,
    move,
    nr_granules,
    place,
    unplace,
)
from tiering.engine.invariants import check_books

TOP = np.array([True, False])
ROOM = 1 << 20


def nid_of(word: int) -> int:
    return int((word & NID_MASK) >> NID_SHIFT)


def list_of(word: int) -> int:
    return int((word & LIST_MASK) >> LIST_SHIFT)


def balanced(memory: Memory, capacity: list[int], top: np.ndarray = TOP) -> None:
    check_books(memory, np.array(capacity, np.int64), top)


@pytest.mark.parametrize(
    ("nr", "order", "granules"),
    [
        (1, 0, 1), (8192, 0, 1), (8193, 0, 2),
        (512, 4, 1), (513, 4, 2), (16, 9, 1), (17, 9, 2),
    ],
)  # fmt: skip
def test_a_granule_is_32_mib_of_any_order(nr: int, order: int, granules: int) -> None:
    assert nr_granules(nr, order) == granules


@pytest.mark.parametrize("order", [0, 4, 9])
def test_three_folios_take_their_pages_from_the_node(order: int) -> None:
    memory = laid_out([Layout(3, order, nid=1)], [ROOM, ROOM])
    assert memory.free.tolist() == [ROOM, ROOM - (3 << order)]
    assert memory.nr.tolist() == [3]
    assert memory.nr_slow.tolist() == [3]
    assert memory.resident.tolist() == [[0, 3]]
    assert [nid_of(int(word)) for word in memory.folio[:4]] == [1, 1, 1, 0]
    assert (memory.folio[:3] & np.uint32(SLOW) != 0).all()
    assert memory.lists.sum() == 0, "only top-tier folios are counted by granule"
    balanced(memory, [ROOM, ROOM])


@pytest.mark.parametrize(("order", "nr"), [(4, 600), (9, 40)])
def test_a_granule_of_large_folios_uses_the_first_slots_only(order: int, nr: int) -> None:
    memory = laid_out([Layout(nr, order, nid=0)], [ROOM, ROOM])
    per_granule = GRANULE >> order
    used = [min(per_granule, nr - first) for first in range(0, nr, per_granule)]
    assert memory.nr.tolist() == used
    assert memory.lists[:, 0].tolist() == used
    assert memory.nr_slow.sum() == 0
    balanced(memory, [ROOM, ROOM])


def test_filling_goes_on_where_it_stopped_and_on_another_node() -> None:
    memory = laid_out([Layout(10, 9, nid=0)], [ROOM, ROOM])
    fill(memory, 0, 16, 10, 14, 1, 1)
    assert [nid_of(int(word)) for word in memory.folio[:14]] == [0] * 10 + [1] * 4
    assert memory.nr.tolist() == [14]
    assert memory.nr_slow.tolist() == [4]
    balanced(memory, [ROOM, ROOM])


def test_folios_begin_on_the_list_that_their_node_says() -> None:
    memory = laid_out([Layout(4, 0, nid=0)], [ROOM, ROOM])
    memory.entry[:] = [3, 2]
    place(memory, 0, 2, 0, 0)
    place(memory, 0, 1, 1, 1)
    assert [list_of(int(word)) for word in memory.folio[:7]] == [0] * 4 + [3, 3, 2]
    assert memory.on_list.tolist() == [[4, 0, 0, 2], [0, 0, 1, 0]]
    assert memory.lists[0].tolist() == [4, 0, 0, 2]
    balanced(memory, [ROOM, ROOM])


def test_a_node_without_a_list_of_its_own_starts_folios_inactive() -> None:
    memory = laid_out([Layout(1)], [ROOM, ROOM])
    memory.entry[:] = AS_IT_IS
    place(memory, 0, 1, 1, 1)
    assert list_of(int(memory.folio[1])) == 0
    balanced(memory, [ROOM, ROOM])


def test_a_folio_that_moves_keeps_its_list_or_takes_that_of_the_node() -> None:
    memory = laid_out([Layout(2)], [ROOM, ROOM])
    memory.folio[:2] |= np.uint32(1 << LIST_SHIFT)
    memory.on_list[1] = [0, 2, 0, 0]
    memory.entry[0] = AS_IT_IS
    move(memory, 0, 0, 0)
    assert list_of(int(memory.folio[0])) == 1
    memory.entry[0] = 3
    move(memory, 1, 0, 0)
    assert list_of(int(memory.folio[1])) == 3
    assert memory.lists[0].tolist() == [0, 1, 0, 1]
    balanced(memory, [ROOM, ROOM])


@pytest.mark.parametrize("order", [0, 4, 9])
def test_up_and_down_again_leaves_everything_as_it_was(order: int) -> None:
    memory = laid_out([Layout(5, order)], [ROOM, ROOM])
    memory.entry[:] = AS_IT_IS
    flags = np.uint32(ACCESSED | IDLE | YOUNG | REFERENCED | UNTOUCHED | PINNED | SHARED)
    memory.folio[2] |= flags
    before = [
        array.copy() for array in (memory.folio, memory.free, memory.resident, memory.on_list)
    ]
    move(memory, 2, 0, 0)
    assert memory.free.tolist() == [ROOM - (1 << order), ROOM - (4 << order)]
    assert memory.folio[2] & flags == flags
    assert not memory.folio[2] & np.uint32(SLOW)
    assert memory.nr_slow[0] == 4
    balanced(memory, [ROOM, ROOM])
    move(memory, 2, 1, 1)
    after: list[np.ndarray] = [memory.folio, memory.free, memory.resident, memory.on_list]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_moving_between_two_slow_nodes_keeps_the_granule_slow() -> None:
    capacity, slow = [ROOM] * 3, [0, 1, 1]
    memory = laid_out([Layout(4, 0, nid=1)], capacity, slow)
    move(memory, 1, 2, 1)
    assert memory.nr_slow.tolist() == [4]
    assert memory.lists.sum() == 0
    balanced(memory, capacity, np.array([True, False, False]))


def test_freeing_leaves_the_class_and_what_the_folio_is() -> None:
    memory = laid_out([Layout(9000), Layout(3, 9, nid=0)], [ROOM, ROOM], stamps=True)
    everything = np.uint32(0xFFFFFFFF & ~NID_MASK & ~LIST_MASK & ~CLASS_MASK)
    memory.folio[5] |= everything
    memory.stamp[5] = 7
    assert unplace(memory, 0, 2) == 9000
    assert memory.folio[5] == PINNED | SHARED
    assert memory.stamp[5] == 0, "a stamp of an earlier life would be ping-pong in the next"
    assert memory.nr.tolist() == [0, 0, 3]
    assert memory.free.tolist() == [ROOM - 3 * 512, ROOM]
    balanced(memory, [ROOM, ROOM])
    assert unplace(memory, 2, 3) == 3 * 512
    assert memory.free.tolist() == [ROOM, ROOM]
    assert memory.on_list.sum() == 0


STEPS = st.lists(
    st.tuples(st.sampled_from(["place", "move", "free", "entry"]), st.integers(0, 10**6)),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_books_balance_after_any_sequence_of_steps(steps: list[tuple[str, int]]) -> None:
    """Three nodes, VMAs of all orders; every step is one that the engine may take."""
    capacity, slow, orders = [900, 2000, 5000], [0, 1, 1], [0, 4, 9]
    memory = laid_out([Layout(1, order, nid=2) for order in orders], capacity, slow)
    top = np.array([True, False, False])
    for what, number in steps:
        granule, nid = number % 3, number // 3 % 3
        pages = int(memory.pages[granule])
        if what == "entry":
            memory.entry[nid] = (0, 1, 2, 3, AS_IT_IS)[number % 5]
        elif what == "free" and number % 7 == 0:
            unplace(memory, granule, granule + 1)
        elif what == "place":
            room = min(
                int(memory.free[nid]) // pages, (GRANULE >> orders[granule]) - memory.nr[granule]
            )
            place(memory, granule, min(number % 5, room), nid, slow[nid])
        elif what == "move" and memory.nr[granule] and memory.free[nid] >= pages:
            index = granule * GRANULE + number % int(memory.nr[granule])
            if nid_of(int(memory.folio[index])) != nid:
                move(memory, index, nid, slow[nid])
        balanced(memory, capacity, top)
