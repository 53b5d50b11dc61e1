"""One list for every mm: which of them is drained, and what becomes of the others."""

import numpy as np
import pytest

from tests.engine.machines import flat_memory
from tests.migration.test_queue import FOREVER, drained, folios
from tiering.engine.chunks import FIRST, STAMP, WAITING
from tiering.engine.folios import GRANULE, IDLE, YOUNG
from tiering.engine.reports import Reports, in_runs
from tiering.migration.queue import Migration, MigrationQueue

NOW = np.zeros(1, np.int64)


def three_mms(lists: str, **knobs: object) -> MigrationQueue:
    """mms 0, 1 and 2 of a granule each."""
    memory = flat_memory(3 * GRANULE)
    memory.mm[:] = 0, 1, 2
    settings = Migration(owner="thread", lists=lists, **knobs)  # type: ignore[arg-type]
    return MigrationQueue(settings, memory, np.zeros(2, np.int64), 3)


def found(*counts: int) -> Reports:
    """So many folios of each mm in turn."""
    parts = [np.arange(nr, dtype=np.uint32) + GRANULE * mm for mm, nr in enumerate(counts)]
    return in_runs(np.concatenate(parts).astype(np.uint32))


def promoted(queue: MigrationQueue) -> list[int]:
    """Drain what is being drained; folios of each mm that are on the top tier."""
    while queue.chunks.at[WAITING]:
        drained(queue, int(queue.chunks.head[queue.chunks.at[FIRST], STAMP]), FOREVER)
    slow = queue.memory.nr_slow
    return [int(GRANULE - slow[mm]) for mm in range(3)]


def test_as_posted_only_the_first_mm_with_a_list_is_drained() -> None:
    queue = three_mms("first_mm")
    queue.add(found(0, 5))
    queue.add(found(7, 3, 2))
    queue.turn(NOW, 1)
    assert promoted(queue) == [0, 5, 0], "3 of 8 were there twice"
    assert (len(queue), queue.moves) == (9, False), "7 of mm 0 and 2 of mm 2 wait for ever"
    assert queue.counters["migrate_stale"] == 3


def test_when_the_first_mm_exits_the_next_is_drained() -> None:
    queue = three_mms("first_mm")
    queue.add(found(4, 5, 6))
    queue.forget(0, 0)
    assert queue.counters["migrate_stale"] == 4
    assert promoted(queue) == [0, 5, 0]
    queue.forget(2, 0)
    assert queue.counters["migrate_stale"] == 10
    queue.add(found(0, 9))
    assert promoted(queue) == [0, 9, 0], "it stays with mm 1"


def test_round_robin_drains_one_list_a_turn() -> None:
    queue = three_mms("round_robin")
    queue.add(found(4, 5, 6))
    assert promoted(queue) == [0, 0, 0], "nobody's turn yet"
    queue.turn(NOW, 1)
    queue.add(found(8))
    assert queue.moves
    assert promoted(queue) == [4, 0, 0], "what mm 0 had by then"
    queue.turn(NOW, 0)
    assert promoted(queue) == [4, 0, 0], "the thread sleeps"
    seen = []
    for _ in range(3):
        queue.turn(NOW, 1)
        seen.append(promoted(queue))
    assert seen == [[4, 5, 0], [4, 5, 6], [8, 5, 6]]
    assert len(queue) == 0


def test_a_bound_holds_for_all_lists_together() -> None:
    queue = three_mms("first_mm", queue_max=10)
    queue.add(found(4, 5, 6))
    assert len(queue) == 10
    assert queue.counters["queue_dropped"] == 5


def test_the_oldest_candidate_may_be_on_any_list() -> None:
    queue = three_mms("first_mm")
    first = found(0, 0, 1)
    first.stamps[:] = 70
    queue.add(first)
    later = found(1)
    later.stamps[:] = 90
    queue.add(later)
    assert queue.oldest_ns() == 70
    promoted(queue)
    assert queue.oldest_ns() == 90


@pytest.mark.parametrize(("asked", "cold"), [("not_idle", 6), ("not_asked", 0)])
def test_candidates_that_are_hot_no_more_are_left(asked: str, cold: int) -> None:
    queue = three_mms("one", still_hot=asked)
    queue.memory.folio[:10] |= np.uint32(YOUNG)
    queue.memory.folio[4:10] |= np.uint32(IDLE)
    queue.add(in_runs(folios(10)))
    assert promoted(queue) == [10 - cold, 0, 0]
    assert queue.counters["migrate_cold"] == cold


def test_failures_are_kept_by_mm_and_forgotten_when_it_exits() -> None:
    queue = three_mms("one", still_hot="not_idle")
    queue.memory.folio[:512] |= np.uint32(YOUNG)
    queue.add(in_runs(folios(2048)))
    promoted(queue)
    # 512 of 1024 failed, then all: F = 512 / 4 + 1024 of S + F = 512 / 4 + F.
    assert queue.books.fail_pct.tolist() == [90, 0, 0]
    queue.forget(0, 0)
    assert queue.books.fail_pct.tolist() == [0, 0, 0]
