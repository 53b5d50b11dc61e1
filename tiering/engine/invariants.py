"""What must hold at the end of every run, not only in tests (docs/model.md#conservation)."""

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import (
    CLASS_MASK,
    GRANULE,
    HINT,
    LIST_MASK,
    LIST_SHIFT,
    NID_MASK,
    NID_SHIFT,
    SLOW,
    Memory,
)
from tiering.engine.jit import loop


class BooksDoNotBalance(AssertionError):
    """The engine contradicts itself: a bug, never a user's mistake."""


def check_books(memory: Memory, capacity: NDArray[np.int64], top_tier: NDArray[np.bool_]) -> None:
    """Recount every folio; raises BooksDoNotBalance on the first contradiction.

    capacity: i64[N] pages, top_tier: bool[N].
    """
    resident, nr_slow, lists, on_list, hinted = recount(
        memory, memory.resident.shape[0], capacity.size
    )
    if not np.array_equal(resident, memory.resident):
        raise BooksDoNotBalance("folios by row and node differ from a recount")
    if not np.array_equal(nr_slow, memory.nr_slow):
        raise BooksDoNotBalance("slow-tier folios by granule differ from a recount")
    if not np.array_equal(lists, memory.lists) or not np.array_equal(on_list, memory.on_list):
        raise BooksDoNotBalance("folios by list differ from a recount")
    if not np.array_equal(hinted, memory.hinted):
        raise BooksDoNotBalance("folios marked for hint faults differ from a recount")
    if memory.group.size > 0:
        top = memory.nr - memory.nr_slow
        held = np.zeros_like(memory.held)
        np.add.at(held, memory.group[memory.mm], top * memory.pages[memory.row0])
        if not np.array_equal(held, memory.held):
            raise BooksDoNotBalance("top-tier pages by class differ from a recount")
    used = memory.pages @ resident
    if not np.array_equal(capacity - used, memory.free):
        raise BooksDoNotBalance("free plus resident pages differ from the capacity of a node")
    if (memory.free < 0).any():
        raise BooksDoNotBalance("a node holds more pages than its capacity")
    if int(resident[:, ~top_tier].sum()) != int(nr_slow.sum()):
        raise BooksDoNotBalance("a folio's tier differs from that of its node")


@loop(allocates=True)
def recount(memory, nr_rows, nr_nodes):  # type: ignore[no-untyped-def]
    resident = np.zeros((nr_rows, nr_nodes), np.int64)
    nr_slow = np.zeros(memory.nr.size, np.int32)
    lists = np.zeros(memory.lists.shape, np.int32)
    on_list = np.zeros(memory.on_list.shape, np.int64)
    hinted = np.zeros(memory.nr.size, np.int32)
    for granule in range(memory.nr.size):
        start = granule * GRANULE
        for index in range(start, start + memory.nr[granule]):
            value = memory.folio[index]
            row = memory.row0[granule] + np.int64(value & np.uint32(CLASS_MASK))
            nid = np.int64((value & np.uint32(NID_MASK)) >> np.uint32(NID_SHIFT))
            here = np.int64((value & np.uint32(LIST_MASK)) >> np.uint32(LIST_SHIFT))
            slow = np.int32((value & np.uint32(SLOW)) != 0)
            resident[row, nid] += 1
            on_list[nid, here] += memory.pages[row]
            nr_slow[granule] += slow
            lists[granule, here] += 1 - slow
            hinted[granule] += np.int32((value & np.uint32(HINT)) != 0)
    return resident, nr_slow, lists, on_list, hinted
