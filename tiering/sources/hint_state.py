"""What NUMA balancing knows: of every mm, of its tasks, of marked granules and folios."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import GRANULE, Memory
from tiering.sources.pte_state import ScannedMm

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NEVER = 2**62
NS_PER_MS = 1_000_000
MOST_TASKS = 64
"""Tasks of an mm that are told apart; more would never be short of time for marking."""

# fields of `at`: the visit that goes on, and the look at marked granules
(MM, BEGUN, TASK, VMA, PAGE, CHUNK, CHUNK_END, UPDATED, PAGES, SPAN, CURSOR, NEXT, UPDATES,
 FAULTS, FOUND, FAULTS_LOCAL) = range(16)  # fmt: skip
NR_AT = 16
REMOTE, LOCAL, SHARED_FAULTS, PRIVATE = range(4)  # fields of `counted`


class Rules(NamedTuple):
    """The knobs as the loops take them. tops: pages of the top tier are marked too. tiering: folios
    below it hold a scan time, not who faulted last. scan_pages: page budget of a visit. mask: of
    latencies."""

    enabled: bool
    tops: bool
    tiering: bool
    delay_ms: int
    min_ms: int
    max_ms: int
    scan_mib: int
    scan_pages: int
    mask: int
    update_ns: float
    skip_ns: float
    fault_ns: float


class Marks(NamedTuple):
    """State of M mms with V VMAs and T tasks in all, G granules, F folios; i64 unless said, ns of
    simulated time.

    at: [NR_AT] mm that is visited (-1: none), begin of the visit, task that makes it, VMA and page
    in it, begin and end of the chunk that is marked, pages marked in it, budgets left; granule that
    is looked at (-1: none), time of the next look; PTEs marked and faults so
    far; reports since somebody was last told to hand on what there is; faults on pages of the
    node where the task runs.
    By mm: next_scan; period_ms; vma, page: where the next visit begins; rose: pages that had been
    promoted when the pass began; pass_start; full_scan_ns; nr_visits; nr_scanned; spent: f64 ns of
    this visit; home: node on which its tasks run; threads; counted: [M, 4] pages by the faults that
    count for its period, promotions not among them. stamp: [T] when a task may mark again, tasks of
    an mm from task_at: [M + 1] on. vma_at: [M + 1], vma_first, vma_end: [V] granules. By granule:
    seen: f64[G] work time up to which faults are known, seen_ns; marked_ns: of the last mark;
    look_ns: when to look again. marked_ms: u32[F] scan time. Of the run: charge: f64[M] ns that
    tasks have to pay for; moved: [M] pages promoted so far.
    """

    at: Ints
    next_scan: Ints
    period_ms: Ints
    vma: Ints
    page: Ints
    rose: Ints
    pass_start: Ints
    full_scan_ns: Ints
    nr_visits: Ints
    nr_scanned: Ints
    spent: Floats
    stamp: Ints
    task_at: Ints
    vma_at: Ints
    vma_first: Ints
    vma_end: Ints
    seen: Floats
    seen_ns: Ints
    marked_ns: Ints
    look_ns: Ints
    home: Ints
    threads: Ints
    counted: Ints
    marked_ms: NDArray[np.uint32]
    expected: Floats
    charge: Floats
    moved: Ints


def marks(
    memory: Memory,
    mms: list[ScannedMm],
    threads: list[int],
    home: Ints,
    charge: Floats,
    moved: Ints,
) -> Marks:
    """Nobody is there yet, nothing is marked."""
    nr, granules = len(mms), memory.nr.size
    vmas = [vma for mm in mms for vma in mm.vmas]
    tasks = [min(max(one, 1), MOST_TASKS) for one in threads]
    at = np.zeros(NR_AT, np.int64)
    at[MM] = at[CURSOR] = -1
    at[NEXT] = NEVER
    columns = np.zeros((8, nr), np.int64)
    return Marks(
        at=at,
        next_scan=np.full(nr, NEVER, np.int64),
        period_ms=columns[0],
        vma=columns[1],
        page=columns[2],
        rose=columns[3],
        pass_start=columns[4],
        full_scan_ns=columns[5],
        nr_visits=columns[6],
        nr_scanned=columns[7],
        spent=np.zeros(nr),
        stamp=np.zeros(sum(tasks), np.int64),
        task_at=np.cumsum([0, *tasks]).astype(np.int64),
        vma_at=np.cumsum([0, *(len(mm.vmas) for mm in mms)]).astype(np.int64),
        vma_first=np.array([first for first, _, _ in vmas], np.int64),
        vma_end=np.array([end for _, end, _ in vmas], np.int64),
        seen=np.zeros(granules),
        seen_ns=np.zeros(granules, np.int64),
        marked_ns=np.zeros(granules, np.int64),
        look_ns=np.full(granules, NEVER, np.int64),
        home=home,
        threads=np.array(threads, np.int64),
        counted=np.zeros((nr, 4), np.int64),
        marked_ms=np.zeros(granules * GRANULE, np.uint32),
        expected=np.zeros(256),
        charge=charge,
        moved=moved,
    )
