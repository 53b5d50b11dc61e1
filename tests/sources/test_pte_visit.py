import numpy as np
import pytest

from tests.engine.machines import flat_memory, flat_rates, pace
from tiering.engine.folios import GRANULE
from tiering.engine.touch import scratch
from tiering.sources.pte_knobs import PteScan
from tiering.sources.pte_scan import PteScanner
from tiering.sources.pte_state import MM, ScannedMm
from tiering.sources.pte_visit import NEVER, NS_PER_MS

STILL = pace()  # no process runs
WALK_NS = GRANULE * 10
EXACT = PteScan(
    scan_sleep_ms=0, mms_to_scan=1, skip_ns=1, visit_ns=1000, pte_slow_ns=10.0, pte_top_ns=10.0,
    scan_period_ms=400,
)  # fmt: skip
"""A thread that never sleeps: it finds a due mm to within a nanosecond for each mm."""


def scanner(
    vmas_of_mms: list[list[int]], knobs: PteScan = EXACT, threads: int = 1, nid: int = 0
) -> PteScanner:
    """mms with VMAs of so many granules each; on the top tier, so that nothing is found."""
    memory = flat_memory(sum(map(sum, vmas_of_mms)) * GRANULE, nid=nid)
    mms, first = [], 0
    for i, sizes in enumerate(vmas_of_mms):
        vmas = []
        for size in sizes:
            memory.mm[first : first + size] = i
            vmas.append((first, first + size, size * 32.0))
            first += size
        mms.append(ScannedMm(f"mm-{i}", tuple(vmas)))
    lists = [list(range(i, len(mms), threads)) for i in range(threads)]
    return PteScanner(knobs, memory, flat_rates(0.0, len(mms)), scratch(), mms, lists)


def visits(scan: PteScanner, nr: int, step_ns: int = 5000) -> list[tuple[int, int]]:
    """(begin, end) of the next `nr` visits, run in steps."""
    found: list[tuple[int, int]] = []
    clock = int(scan.mms.last_end.max())
    until, seen = clock, int(scan.mms.nr_visits.sum())
    while len(found) < nr:
        until = max(until, clock) + step_ns
        while clock < until and len(found) < nr:
            clock = scan.run(0, clock, until, STILL, True).clock
            if scan.mms.nr_visits.sum() > seen:
                seen += 1
                found.append((int(scan.mms.last_start[0]), int(scan.mms.last_end[0])))
    return found


def test_a_full_scan_of_one_visit_is_its_walk() -> None:
    scan = scanner([[3]])
    ((begin, end),) = visits(scan, 1)
    assert (begin, end) == (0, 1000 + 3 * WALK_NS)
    assert scan.mms.full_scan_ns[0] == 3 * WALK_NS
    assert scan.mms.longest_ns[0] == end - begin
    assert np.concatenate(scan.pass_ns).tolist() == [[0, 3 * WALK_NS]]


@pytest.mark.compiled  # slow without
def test_a_full_scan_of_several_visits_goes_from_the_first_pte_to_the_wrap() -> None:
    """Four VMAs and a budget of two: the pass waits a period between its two visits."""
    scan = scanner([[1, 1, 1, 1]], EXACT._replace(scan_size_mib=64, scan_size_min_mib=64))
    first, second, third, fourth = visits(scan, 4)
    assert scan.mms.nr_scanned[0] == 8 * GRANULE
    passes = np.concatenate(scan.pass_ns)[:, 1].tolist()
    assert passes == [second[1] - (first[0] + 1000), fourth[1] - (third[0] + 1000)]
    assert passes[0] > 400 * NS_PER_MS
    assert scan.mms.full_scan_ns[0] == passes[1]


def test_a_full_scan_is_not_over_before_the_wrap() -> None:
    scan = scanner([[1, 1, 1]], EXACT._replace(scan_size_mib=32, scan_size_min_mib=32))
    visits(scan, 2)
    assert scan.pass_ns == []
    assert scan.mms.full_scan_ns[0] == 0
    assert scan.mms.cursor[0] == 2


def test_the_interval_is_from_begin_to_begin_and_the_period_begins_at_the_end() -> None:
    """Nothing is found, so each period is 15 % longer: 460 ms, then 529 ms."""
    scan = scanner([[2]])
    first, second = visits(scan, 2)
    assert scan.mms.period_ms[0] == 529
    assert second[0] - first[1] == pytest.approx(460 * NS_PER_MS, abs=2)
    assert scan.mms.interval_ns[0] == second[0] - first[0]
    assert scan.mms.next_scan[0] == second[1] + 529 * NS_PER_MS


@pytest.mark.parametrize(("walk_ms", "missed"), [(45.0, 0), (47.0, 1)])
def test_a_visit_is_late_from_a_tenth_of_the_period_on(walk_ms: float, missed: int) -> None:
    """The period of 460 ms begins when a visit ends: after a walk of 47 ms the next is late."""
    slow = EXACT._replace(pte_top_ns=walk_ms * 1e6 / GRANULE, visit_ns=0)
    scan = scanner([[1]], slow)
    visits(scan, 2, 1_000_000)
    assert scan.mms.missed[0] == missed
    assert scan.mms.longest_ns[0] == pytest.approx(walk_ms * 1e6, abs=1)


@pytest.mark.compiled  # slow without
def test_the_longest_visit_is_kept_when_shorter_ones_follow() -> None:
    scan = scanner([[3, 1]], EXACT._replace(scan_size_mib=64, scan_size_min_mib=64))
    visits(scan, 2)
    assert scan.mms.longest_ns[0] == 1000 + 3 * WALK_NS


def test_a_visit_stops_an_inline_thread_even_if_its_last_piece_found_nothing() -> None:
    """The second VMA is on the top tier: what is found is reported in the first piece."""
    scan = scanner([[1, 1]], nid=1)
    scan.memory.folio[GRANULE:] = 0
    scan.memory.nr_slow[1] = 0
    piece = scan.run(0, 0, 1000 + WALK_NS - 1, STILL, True)
    assert (piece.nr_reports, piece.ended) == (GRANULE, False)
    rest = scan.run(0, piece.clock, 10**9, STILL, True)
    assert (rest.nr_reports, rest.ended) == (0, True)
    assert rest.clock == 1000 + 2 * WALK_NS


def test_a_thread_that_sleeps_has_not_ended_a_visit() -> None:
    scan = scanner([[1]], nid=1)
    clock = scan.run(0, 0, 10**9, STILL, True).clock
    assert clock == 1000 + WALK_NS
    assert not scan.run(0, clock, clock + NS_PER_MS, STILL, True).ended


def test_an_mm_that_leaves_ends_its_visit_and_begins_anew_when_it_comes_back() -> None:
    scan = scanner([[1, 1]], EXACT._replace(scan_size_mib=32, scan_size_min_mib=32))
    visits(scan, 1)
    scan.run(0, int(scan.mms.next_scan[0]), int(scan.mms.next_scan[0]) + 500, STILL, True)
    assert scan.posts[0].at[MM] == 0, "in its second visit"
    scan.leave(0)
    assert (scan.posts[0].at[MM], scan.mms.next_scan[0]) == (-1, NEVER)
    later = 10**10
    assert scan.run(0, later - 1000, later, STILL, True).clock >= later, "nobody is due"
    before = scan.mms.nr_visits[0]
    scan.enter(0, later)
    assert (scan.mms.cursor[0], scan.mms.pass_start[0], scan.mms.last_start[0]) == (0, -1, -1)
    assert (scan.mms.next_scan[0], scan.mms.period_ms[0]) == (later, 400)
    scan.run(0, later, later + 2000 + WALK_NS, STILL, True)
    assert scan.mms.nr_visits[0] == before + 1, "counters go on"
    assert scan.mms.missed[0] == 0, "no interval spans two lives"


@pytest.mark.compiled  # slow without
def test_every_pass_and_every_change_of_many_mms_is_told() -> None:
    """More than the buffers of a step hold: 256 passes and 64 lines."""
    scan = scanner([[1]] * 300, EXACT._replace(mms_to_scan=300))
    clock, end = 0, 300 * (1000 + WALK_NS) + 300_000
    while clock < end:
        clock = scan.run(0, clock, end, STILL, False).clock
    assert scan.mms.nr_visits.tolist() == [1] * 300
    assert sorted(np.concatenate(scan.pass_ns)[:, 0].tolist()) == list(range(300))
    assert len(scan.events) == 300
    assert {event["text"].split()[2] for event in scan.events} == {f"mm-{i}" for i in range(300)}


def test_each_thread_visits_the_mms_of_its_own_list_only() -> None:
    scan = scanner([[1]] * 5, threads=2)
    end = 3 * (1000 + WALK_NS) + 1000
    for thread, mms in ((1, [1, 3]), (0, [0, 2, 4])):
        before, clock = scan.mms.nr_visits.copy(), 0
        while clock < end:
            clock = scan.run(thread, clock, end, STILL, False).clock
        assert np.flatnonzero(scan.mms.nr_visits - before).tolist() == mms
