"""What the scanner knows: of every mm, of every VMA, and of the visit that a thread is in."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.books import Books
from tiering.engine.folios import SHARED
from tiering.engine.reports import Reports, reports
from tiering.sources.pte_knobs import PteScan
from tiering.sources.pte_target import DEFAULT, MOST_ACCESSED, MOST_SCANNED
from tiering.sources.pte_walk import AS_INTENDED, AS_POSTED, NR_COUNTS, TABLE, TWO_WINDOWS

Ints = NDArray[np.int64]

# fields of a thread's `at`: where it is on its list and in its visit
AT_SIZE = 11
(
    SLOT, CYCLE_LEFT, MM, VMA, GRANULE, BUDGET_MIB, PAGES_LEFT, USEFUL, VMA_USEFUL, SCANNED, BEGUN,
) = range(AT_SIZE)  # fmt: skip

RAISED, STRICT, UNTIL_USEFUL = range(3)
"""What happens when the scan size is used up."""
_BUDGETS = {"raised": RAISED, "strict": STRICT, "until_useful": UNTIL_USEFUL}
_TESTS = {"as_posted": AS_POSTED, "as_intended": AS_INTENDED, "two_windows": TWO_WINDOWS}
_TARGETS = {"default": DEFAULT, "most_scanned": MOST_SCANNED, "most_accessed": MOST_ACCESSED}
_FEEDBACK = {"as_posted": 100, "as_intended": 1}
"""Percent that the period grows by for each whole tenth of its migrations that fail."""
NO_DECAY = 63
"""Shift that leaves nothing."""

MOST_RUNS = 4096
"""Granules of which a thread reports folios in one step."""
LOG_WIDTH = 7
"""Columns of a log row: ns, mm, useful, period before and after (ms), size before and after."""
PASS_WIDTH = 3
"""Columns of a pass row: mm, ns from its first PTE to the wrap of its cursor, reports so far."""


class ScannedMm(NamedTuple):
    """An mm on the list; vmas holds (first granule, end granule, size in MiB), scale what its
    process sets by prctl. grounds: of each VMA the PTEs populated in a page table, and whether
    several mms map folios of it; empty for VMAs without holes that nobody shares. nid: -1, or the
    node that takes its place where the scan is physical."""

    name: str
    vmas: tuple[tuple[int, int, float], ...]
    scale: int | None = None
    grounds: tuple[tuple[int, bool], ...] = ()
    nid: int = -1


class MmTable(NamedTuple):
    """State of M mms with V VMAs in all; i64 unless said. Times in ns of simulated time.

    period_ms, size_mib: wanted. base_ms: period that adapts, before scale (0 .. 10) and fail_pct
    (of migrations, in percent) stretch it. target, fallback: node of its candidates, now and where
    a visit saw none. next_scan: due. last_start, last_end: of the last visit,
    start -1 before the first. pass_start: clock at the first PTE of the pass that goes on, -1
    between passes. interval_ns: between the starts of the last two visits. full_scan_ns: of the
    last pass.
    longest_ns: longest visit so far. missed: visits that began later than 1.1 periods after the
    one before. useful: X, as stored after the threshold; found: useful folios of the last visit,
    uncut. nr_visits, nr_scanned: counters. cursor: VMA where the next visit begins, counted from
    vma_at[mm], and inside: at which granule of it. vma_at: [M + 1]. vma_first, vma_end: [V]
    granules. vma_mib: f64[V] of address space. present, shared: [V], split: i32[G], see
    pte_walk.KnownVma. nid: see ScannedMm.
    """

    period_ms: Ints
    base_ms: Ints
    scale: Ints
    fail_pct: Ints
    target: Ints
    fallback: Ints
    size_mib: Ints
    next_scan: Ints
    last_start: Ints
    last_end: Ints
    pass_start: Ints
    interval_ns: Ints
    full_scan_ns: Ints
    longest_ns: Ints
    missed: Ints
    useful: Ints
    found: Ints
    nr_visits: Ints
    nr_scanned: Ints
    cursor: Ints
    inside: Ints
    vma_at: Ints
    vma_first: Ints
    vma_end: Ints
    vma_mib: NDArray[np.float64]
    present: Ints
    shared: NDArray[np.bool_]
    split: NDArray[np.int32]
    nid: Ints


class Rules(NamedTuple):
    """The knobs as the loops take them (pte_knobs.py); ns are those of the clock. test, skip: see
    pte_walk.py."""

    scan_enabled: bool
    scan_sleep_ms: int
    scan_period_min_ms: int
    scan_period_max_ms: int
    scan_size_min_mib: int
    scan_size_max_mib: int
    ignore_threshold: int
    period_fine_pct: int
    period_coarse_shift: int
    size_shift: int
    mms_to_scan: int
    decay_shift: int
    budget: int
    page_budget_pct: int
    stops: bool
    scaled: bool
    fed_back: int
    compounds: bool
    pte_slow_ns: float
    pte_top_ns: float
    pte_none_ns: float
    rmap_ns: float
    nr_sharers: int
    visit_ns: int
    skip_ns: int
    test: int
    skip: int
    target: int


def rules(knobs: PteScan, slow: float = 1.0) -> Rules:
    """Rules of a thread of which a ns of CPU takes `slow` ns of the clock."""
    return Rules(
        scan_enabled=knobs.scan_enabled,
        scan_sleep_ms=knobs.scan_sleep_ms,
        scan_period_min_ms=knobs.scan_period_min_ms,
        scan_period_max_ms=knobs.scan_period_max_ms,
        scan_size_min_mib=knobs.scan_size_min_mib,
        scan_size_max_mib=knobs.scan_size_max_mib,
        ignore_threshold=knobs.ignore_threshold,
        period_fine_pct=knobs.period_fine_pct,
        period_coarse_shift=knobs.period_coarse_shift,
        size_shift=knobs.size_shift,
        mms_to_scan=knobs.mms_to_scan,
        decay_shift=knobs.decay_shift or NO_DECAY,
        budget=_BUDGETS[knobs.budget],
        page_budget_pct=knobs.page_budget_pct or (100 if knobs.walk == "physical" else 0),
        stops=knobs.holes == "stop",
        scaled=knobs.prctl == "period",
        fed_back=_FEEDBACK[knobs.failure_stretch] if knobs.failure_feedback else 0,
        compounds=knobs.stretch == "as_posted",
        pte_slow_ns=knobs.pte_slow_ns * slow,
        pte_top_ns=knobs.pte_top_ns * slow,
        pte_none_ns=knobs.pte_none_ns * slow,
        rmap_ns=knobs.rmap_factor * knobs.pte_slow_ns * slow,
        nr_sharers=knobs.nr_sharers,
        visit_ns=round(knobs.visit_ns * slow),
        skip_ns=round(knobs.skip_ns * slow),
        test=_TESTS[knobs.useful],
        skip=SHARED if knobs.skip_shared else 0,
        target=_TARGETS[knobs.target],
    )


class Post(NamedTuple):
    """A thread and where it is. members: mms on its list. at: [AT_SIZE]. span: f64[1] MiB walked in
    the visit that goes on. seen: see pte_target.py."""

    members: Ints
    at: Ints
    seen: Ints
    span: NDArray[np.float64]


class Buffers(NamedTuple):
    """What a thread writes in one step: reports; log [L, LOG_WIDTH] changes of period or size;
    passes [S, PASS_WIDTH] full scans that ended; counts: [NR_COUNTS], see pte_walk.py."""

    reports: Reports
    log: Ints
    passes: Ints
    counts: Ints


def post(members: list[int], mms_to_scan: int, nr_seen: int = 0) -> Post:
    """A thread at the head of its list, at the begin of a cycle."""
    at = np.zeros(AT_SIZE, np.int64)
    at[MM] = -1
    at[CYCLE_LEFT] = mms_to_scan
    return Post(np.array(members, np.int64), at, np.zeros(nr_seen, np.int64), np.zeros(1))


def buffers(nr_reports: int) -> Buffers:
    """Empty buffers for so many reports."""
    return Buffers(
        reports(nr_reports, MOST_RUNS),
        np.zeros((64, LOG_WIDTH), np.int64),
        np.zeros((256, PASS_WIDTH), np.int64),
        np.zeros(NR_COUNTS, np.int64),
    )


def mm_table(mms: list[ScannedMm], knobs: PteScan, books: Books, nr_granules: int) -> MmTable:
    """All mms before they begin. books: of who migrates, whose failures and targets are shared."""
    nr = len(mms)
    vmas = [vma for mm in mms for vma in mm.vmas]
    grounds = [g for mm in mms for g in mm.grounds or [(TABLE, False)] * len(mm.vmas)]

    def zeros() -> Ints:
        return np.zeros(nr, np.int64)

    table = MmTable(
        period_ms=zeros(),
        base_ms=zeros(),
        scale=np.array(
            [knobs.scan_scale if mm.scale is None else mm.scale for mm in mms], np.int64
        ),
        fail_pct=books.fail_pct,
        target=books.target,
        fallback=books.target.copy(),
        size_mib=zeros(),
        next_scan=zeros(),
        last_start=zeros(),
        last_end=zeros(),
        pass_start=zeros(),
        interval_ns=zeros(),
        full_scan_ns=zeros(),
        longest_ns=zeros(),
        missed=zeros(),
        useful=zeros(),
        found=zeros(),
        nr_visits=zeros(),
        nr_scanned=zeros(),
        cursor=zeros(),
        inside=zeros(),
        vma_at=np.cumsum([0, *(len(mm.vmas) for mm in mms)]).astype(np.int64),
        vma_first=np.array([first for first, _, _ in vmas], np.int64),
        vma_end=np.array([end for _, end, _ in vmas], np.int64),
        vma_mib=np.array([mib for _, _, mib in vmas], np.float64),
        present=np.array([present for present, _ in grounds], np.int64),
        shared=np.array([shared for _, shared in grounds], np.bool_),
        split=np.zeros(nr_granules, np.int32),
        nid=np.array([mm.nid for mm in mms], np.int64),
    )
    table.last_start[:] = -1
    table.pass_start[:] = -1
    return table
