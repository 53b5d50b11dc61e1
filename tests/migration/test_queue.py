import numpy as np
import pytest

from tests.engine.machines import flat_memory, flat_rates, pace
from tiering.engine.books import WINDOW_NS
from tiering.engine.folios import PINNED, SHARED, SLOW
from tiering.engine.migrate import drain
from tiering.engine.reports import in_runs
from tiering.engine.touch import scratch
from tiering.migration.queue import Migration, MigrationQueue

FOREVER = 2**62
DEFAULTS = Migration()
V0_IN_SITU = Migration(batch_us=0.0, folio_us=5.34 - 4096 / 10.6e3, copy_gb_s=10.6)


def queue(
    nr: int, knobs: Migration = DEFAULTS, room: int = 1 << 30, reserve: int = 0
) -> MigrationQueue:
    memory = flat_memory(nr, room=max(room, nr))
    migration = MigrationQueue(knobs, memory, np.array([reserve, 0]), 2)
    memory.free[0] = room
    return migration


def drained(migration: MigrationQueue, clock: int, until: int, copy_gb_s: float = 100.0) -> int:
    """Migrate until the queue is empty or the clock passes `until`; the clock."""
    terms = migration.terms
    terms = terms._replace(bytes_per_ns=min(terms.bytes_per_ns, copy_gb_s))
    nr_mms = migration.books.dirty.size
    rates, still = flat_rates(0.0, nr_mms), pace(nr_mms=nr_mms)
    before = -1
    while len(migration) and before < clock < until:  # it gives way where there is no room
        before = clock
        migration.books.refused[:] = False
        clock = drain(
            migration.memory, rates, scratch(), migration.chunks, clock, until, still, terms,
            migration.books,
        )  # fmt: skip
    return int(clock)


def folios(nr: int) -> np.ndarray:
    return np.arange(nr, dtype=np.uint32)


def test_every_candidate_with_room_is_moved() -> None:
    migration = queue(100)
    migration.add(in_runs(folios(100)))
    drained(migration, 0, FOREVER, 100.0)
    assert migration.counters["pgpromote_success"] == 100
    assert not (migration.memory.folio[:100] & np.uint32(SLOW)).any()
    assert migration.memory.resident.tolist() == [[100, 0]]
    assert migration.memory.nr_slow[0] == 0


def test_8_gib_at_5_34_us_a_folio_take_11_s_of_the_owners_clock() -> None:
    nr = 2_097_152
    migration = queue(nr, V0_IN_SITU)
    migration.add(in_runs(folios(nr)))
    assert drained(migration, 0, FOREVER, 100.0) / 1e9 == pytest.approx(11.199, abs=0.01)


def test_the_cost_of_a_batch_is_a_plus_n_b_plus_copy() -> None:
    migration = queue(64, Migration(batch_nr=16, batch_us=5.0, folio_us=1.0, copy_gb_s=4.096))
    migration.add(in_runs(folios(64)))
    assert drained(migration, 0, FOREVER, 100.0) == 4 * (5000 + 16 * (1000 + 1000))


def test_copies_are_no_faster_than_the_bandwidth_left() -> None:
    migration = queue(10, Migration(batch_us=0.0, folio_us=0.0, copy_gb_s=10.0))
    migration.add(in_runs(folios(10)))
    assert drained(migration, 0, FOREVER, 0.4096) == 10 * 10_000


def test_a_drain_stops_at_the_time_it_is_given() -> None:
    migration = queue(100, Migration(batch_us=0.0, folio_us=1.0, copy_gb_s=1000.0))
    migration.add(in_runs(folios(100)))
    clock = drained(migration, 0, 50_000, 1000.0)
    assert len(migration) == 100 - migration.counters["pgpromote_success"]
    assert 50_000 <= clock < 52_000
    drained(migration, clock, FOREVER, 1000.0)
    assert migration.counters["pgpromote_success"] == 100


def test_a_full_target_is_a_failure_and_not_a_success() -> None:
    migration = queue(100, room=60)
    migration.add(in_runs(folios(100)))
    drained(migration, 0, FOREVER, 100.0)
    assert migration.counters["pgpromote_success"] == 60
    assert migration.counters["migrate_no_room"] == 40
    assert migration.counters["pgmigrate_fail"] == 40
    assert migration.memory.free[0] == 0


def test_a_folio_queued_twice_is_stale_the_second_time() -> None:
    migration = queue(10)
    migration.add(in_runs(folios(10)))
    migration.add(in_runs(folios(10)))
    drained(migration, 0, FOREVER, 100.0)
    assert migration.counters["pgpromote_success"] == 10
    assert migration.counters["migrate_stale"] == 10


def test_a_bounded_queue_drops_and_counts_what_does_not_fit() -> None:
    migration = queue(100, Migration(queue_max=30))
    migration.add(in_runs(folios(100)))
    assert len(migration) == 30
    assert migration.counters["queue_dropped"] == 70
    assert migration.counters["pgpromote_candidate"] == 100


def test_candidates_keep_their_order_over_many_additions() -> None:
    migration = queue(6000)
    migration.add(in_runs(folios(900)))
    drained(migration, 0, 100_000, 100.0)
    for first in range(900, 6000, 300):
        migration.add(in_runs(np.arange(first, first + 300, dtype=np.uint32)))
    drained(migration, 0, FOREVER, 100.0)
    assert migration.counters["pgpromote_success"] == 6000
    assert migration.counters["migrate_stale"] == 0


def test_a_pinned_folio_fails_by_that_cause() -> None:
    migration = queue(10)
    migration.memory.folio[3] |= np.uint32(PINNED)
    migration.add(in_runs(folios(10)))
    drained(migration, 0, FOREVER)
    assert migration.counters["pgpromote_success"] == 9
    assert migration.counters["migrate_pinned"] == 1


@pytest.mark.parametrize("refused", [True, False])
def test_shared_folios_are_left_only_where_the_knob_says_so(refused: bool) -> None:
    migration = queue(10, DEFAULTS._replace(refuse_shared=refused))
    migration.memory.folio[:4] |= np.uint32(SHARED)
    migration.add(in_runs(folios(10)))
    drained(migration, 0, FOREVER)
    assert migration.counters["migrate_shared"] == (4 if refused else 0)
    assert migration.counters["pgpromote_success"] == (6 if refused else 10)


def test_the_reserve_stays_free_on_the_target() -> None:
    migration = queue(100, room=60, reserve=25)
    migration.add(in_runs(folios(100)))
    drained(migration, 0, FOREVER)
    assert migration.memory.free[0] == 25
    assert migration.counters["migrate_no_room"] == 65


def test_o6_a_window_never_moves_more_than_the_limit() -> None:
    """1 MiB/s is 256 pages a second; 400 us a candidate offer 2,500 a second."""
    knobs = Migration(rate_limit_mib_s=1, batch_us=0.0, folio_us=400.0, copy_gb_s=1000.0)
    migration = queue(8192, knobs)
    migration.add(in_runs(folios(8192)))
    clock, moved, windows = 0, 0, []
    for end in range(WINDOW_NS, 4 * WINDOW_NS, WINDOW_NS):
        clock = drained(migration, clock, end)
        windows.append(migration.counters["pgpromote_success"] - moved)
        moved += windows[-1]
    assert windows == [256, 256, 256]
    assert migration.counters["migrate_limited"] > 0


def test_candidates_age_from_their_arrival() -> None:
    migration = queue(10, Migration(batch_us=0.0, folio_us=1.0, copy_gb_s=1e9))
    migration.add(in_runs(folios(10), 5_000))
    drained(migration, 20_000, FOREVER)
    assert migration.books.age[1] == pytest.approx(15_000 + 9 * 1_041, abs=50)
    assert migration.handled == 10


def test_nobody_drains_what_has_not_arrived() -> None:
    migration = queue(10)
    migration.add(in_runs(folios(10), 5_000))
    assert drained(migration, 4_000, FOREVER) == 4_000
    assert len(migration) == 10
    assert migration.oldest_ns() == 5_000


def test_the_packed_queue_holds_every_folio_in_an_eighth_of_a_byte() -> None:
    nr = 64 * 8192
    migration = queue(nr)
    migration.add(in_runs(folios(nr)))
    assert len(migration) == nr
    assert migration.chunks.at[3] * 2 == nr // 8


def test_candidates_of_a_process_that_exits_leave_the_queue_as_stale() -> None:
    """Of three granules the second is another process's, some of whose candidates are done."""
    migration = queue(3 * 8192, Migration(batch_us=0.0, folio_us=1.0, copy_gb_s=1e9))
    for first, nr, stamp in ((8192, 500, 1_000), (0, 10, 2_000), (2 * 8192, 10, 3_000)):
        migration.add(in_runs(np.arange(first, first + nr, dtype=np.uint32), stamp))
    drained(migration, 1_000, 301_000)
    left = 500 - migration.handled
    assert 0 < left < 500
    age = migration.books.age[0]
    migration.memory.mm[1] = 1
    migration.forget(0, 0)
    migration.forget(1, 501_000)
    assert len(migration) == 0, "nothing of either is left"
    assert migration.counters["migrate_stale"] == 20 + left
    assert migration.books.age[0] - age == left * 500_000, "none is younger than nothing"
    assert migration.books.age[1] == 500_000
    migration.forget(1, 10**9)
    assert migration.handled == 520
