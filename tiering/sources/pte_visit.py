"""The scanning thread, compiled: list walk, visits, adaptation (docs/model.md#pte-scan).

A thread walks its list in cycles. A visit to a due mm walks whole VMAs until a budget of address
span is used up, then adapts period and size (pte_adapt.py). Mirrors the scan loops of kmmscand (RFC
V0, V1) and kscand (RFC V2, V3) as posted: the budget is tested only between VMAs, so one large VMA
is always walked to its end.
"""

import numpy as np

from tiering.engine.flow import TIME, next_tick
from tiering.engine.jit import loop
from tiering.engine.reports import hand_on, has_room
from tiering.sources.pfn_walk import Frames, walk_node
from tiering.sources.pte_adapt import adapt, stretched
from tiering.sources.pte_state import (
    BEGUN,
    BUDGET_MIB,
    CYCLE_LEFT,
    GRANULE,
    MM,
    PAGES_LEFT,
    RAISED,
    SCANNED,
    SLOT,
    UNTIL_USEFUL,
    USEFUL,
    VMA,
    VMA_USEFUL,
)
from tiering.sources.pte_target import most_seen
from tiering.sources.pte_walk import VMA_SCANS, KnownVma, walk

NS_PER_MS = 1_000_000
PAGES_PER_MIB = 256
NEVER = 2**62
"""ns; when an mm is due that is not there."""
FEW = 256
"""Members up to which the earliest due time is looked for before the list is walked."""


@loop
def scan(memory, rates, scratch, mms, post, buffers, rules, clock, until, pace, stops):  # type: ignore[no-untyped-def]
    """Work until the clock passes `until`, a buffer is full, or a visit's finds must be migrated.

    post: where the thread is, buffers: what it writes (pte_state.py). stops: at the end of a visit
    that found something; otherwise it goes on to the end of the tick, in which nobody else acts.
    Finds are handed on when their visit ends, or with the step. Returns (clock, CPU ns used,
    reports, runs of them, log rows, pass rows, whether it stopped at the end of such a visit).
    """
    at, found = post.at, buffers.reports
    busy = np.int64(0)
    n = np.int64(0)
    nr_runs = np.int64(0)
    nr_log = np.int64(0)
    nr_pass = np.int64(0)
    nr_stamped = np.int64(0)
    ended = False
    while clock < until:
        if at[MM] < 0:
            clock, used = next_visit(mms.next_scan, post.members, at, rules, clock, until)
            busy += used
            if at[MM] >= 0:
                begin_visit(mms, at, post.span, rules)
            continue
        mm = at[MM]
        vma = mms.vma_at[mm] + at[VMA]
        begin = clock
        if mms.pass_start[mm] < 0:
            mms.pass_start[mm] = clock
        before = n
        granule, clock, n, nr_runs, scanned = _walk_on(
            memory, rates, scratch, mms, post, buffers, rules, vma, clock, until, pace, n, nr_runs
        )
        busy += clock - begin
        at[USEFUL] += n - before
        if walked(mms, at, post.span, rules, vma, granule, scanned):
            if mms.cursor[mm] + mms.inside[mm] == 0:
                end_pass(mms, mm, clock, n, buffers.passes[nr_pass])
                nr_pass += 1
            if post.seen.size > 0:
                mms.target[mm] = most_seen(post.seen, mms.fallback[mm])
                post.seen[:] = 0
            nr_log += end_visit(mms, at, rules, clock, buffers.log[nr_log])
            nr_stamped = hand_on(found, nr_stamped, nr_runs, clock)
            if at[USEFUL] > 0:  # also what was found before the last `until`
                if stops:
                    ended = True
                    break
                until = min(until, next_tick(max(clock, pace.at[TIME])))
            if nr_log == buffers.log.shape[0] or nr_pass == buffers.passes.shape[0]:
                break
        if not has_room(found, n, nr_runs):
            break
    hand_on(found, nr_stamped, nr_runs, clock)
    return clock, busy, n, nr_runs, nr_log, nr_pass, ended


@loop
def _walk_on(memory, rates, scratch, mms, post, buffers, rules, vma, clock, until, pace, n, runs):  # type: ignore[no-untyped-def]
    """Go on in the VMA where the visit is, or in the node; see `walk` and `walk_node`."""
    at, found, counts = post.at, buffers.reports, buffers.counts
    first, end = mms.vma_first[vma] + at[GRANULE], mms.vma_end[vma]
    nid = mms.nid[at[MM]]
    if nid >= 0:
        of = Frames(nid, at[PAGES_LEFT], counts)
        return walk_node(
            memory, rates, scratch, first, end, clock, until, pace, rules, of, found, n, runs
        )
    known = KnownVma(mms.present[vma], mms.shared[vma], mms.split, counts, post.seen)
    granule, clock, n, runs, scanned = walk(
        memory, rates, scratch, first, end, clock, until, pace, rules, known, at[PAGES_LEFT], found,
        n, runs,
    )  # fmt: skip
    counts[VMA_SCANS] += granule == end
    return granule, clock, n, runs, scanned


@loop
def end_pass(mms, mm, clock, nr_reports, row):  # type: ignore[no-untyped-def]
    """The cursor has wrapped around: a full scan took from its first PTE until now."""
    mms.full_scan_ns[mm] = clock - mms.pass_start[mm]
    mms.pass_start[mm] = -1
    row[0], row[1], row[2] = mm, mms.full_scan_ns[mm], nr_reports


@loop
def next_visit(next_scan, members, at, rules, clock, until):  # type: ignore[no-untyped-def]
    """Go on along the list; returns (clock, CPU ns used). Sets at[MM] if an mm is due."""
    nr = members.size
    if not rules.scan_enabled or nr == 0:
        return until, np.int64(0)
    if at[CYCLE_LEFT] == 0:
        at[CYCLE_LEFT] = rules.mms_to_scan
        return sleep(next_scan, members, at, rules, clock, until)
    left = at[CYCLE_LEFT]
    if nr <= FEW and earliest(next_scan, members) > clock + left * rules.skip_ns:
        at[SLOT] = (at[SLOT] + left) % nr
        at[CYCLE_LEFT] = 0
        return clock + left * rules.skip_ns, left * rules.skip_ns
    slot = at[SLOT]
    used = np.int64(0)
    while used < left and next_scan[members[slot]] > clock + used * rules.skip_ns:
        used += 1
        slot = slot + 1 if slot + 1 < nr else 0
    spent = used * rules.skip_ns
    at[CYCLE_LEFT] -= used
    if used < left:
        at[MM] = members[slot]
        at[BEGUN] = clock + spent
        slot = slot + 1 if slot + 1 < nr else 0
        at[CYCLE_LEFT] -= 1
        spent += rules.visit_ns
    at[SLOT] = slot
    return clock + spent, spent


@loop
def rest(mms, post, rules, clock, until):  # type: ignore[no-untyped-def]
    """Sleep and pass over mms that are not due, up to `until` or where a visit may begin.

    As `next_visit` would, which nobody else's work can change; returns (clock, CPU ns used).
    """
    at = post.at
    busy = np.int64(0)
    while clock < until and at[MM] < 0 and post.members.size <= FEW:
        left = at[CYCLE_LEFT] * rules.skip_ns
        if at[CYCLE_LEFT] > 0 and earliest(mms.next_scan, post.members) <= clock + left:
            break
        clock, used = next_visit(mms.next_scan, post.members, at, rules, clock, until)
        busy += used
    return clock, busy


@loop
def earliest(next_scan, members):  # type: ignore[no-untyped-def]
    """When the first member comes due; never if there is none."""
    first = np.int64(NEVER)
    for mm in members:
        first = min(first, next_scan[mm])
    return first


@loop
def sleep(next_scan, members, at, rules, clock, until):  # type: ignore[no-untyped-def]
    """Sleep, then pass over whole cycles in which no mm comes due, but not beyond `until`."""
    clock += rules.scan_sleep_ms * NS_PER_MS
    walk_ns = rules.mms_to_scan * rules.skip_ns
    cycle_ns = walk_ns + rules.scan_sleep_ms * NS_PER_MS
    quiet_until = min(earliest(next_scan, members) - walk_ns, until)
    cycles = max(np.int64(0), -(-(quiet_until - clock) // cycle_ns))
    at[SLOT] = (at[SLOT] + cycles * rules.mms_to_scan) % members.size
    return clock + cycles * cycle_ns, cycles * walk_ns


@loop
def begin_visit(mms, at, span, rules):  # type: ignore[no-untyped-def]
    """The visit begins at at[BEGUN], before its fixed cost."""
    mm, begun = at[MM], at[BEGUN]
    if mms.last_start[mm] >= 0:
        mms.interval_ns[mm] = begun - mms.last_start[mm]
        if 10 * mms.interval_ns[mm] > 11 * mms.period_ms[mm] * NS_PER_MS:
            mms.missed[mm] += 1
    mms.last_start[mm] = begun
    at[VMA] = mms.cursor[mm]
    at[GRANULE] = mms.inside[mm]
    at[BUDGET_MIB] = mms.size_mib[mm]
    at[PAGES_LEFT] = NEVER
    if rules.page_budget_pct > 0:
        at[PAGES_LEFT] = max(1, at[BUDGET_MIB] * PAGES_PER_MIB * rules.page_budget_pct // 100)
    at[USEFUL] = at[VMA_USEFUL] = 0
    at[SCANNED] = 0
    span[0] = 0.0


@loop
def walked(mms, at, span, rules, vma, granule, scanned):  # type: ignore[no-untyped-def]
    """Account what was walked, up to `granule`; True if the visit stops here."""
    mm = at[MM]
    at[GRANULE] = granule - mms.vma_first[vma]
    at[SCANNED] += scanned
    at[PAGES_LEFT] -= scanned
    if granule < mms.vma_end[vma]:
        if at[PAGES_LEFT] > 0:
            return False
        mms.cursor[mm], mms.inside[mm] = at[VMA], at[GRANULE]
        return True
    span[0] += mms.vma_mib[vma]
    found = at[USEFUL] - at[VMA_USEFUL]
    at[VMA] += 1
    at[GRANULE] = mms.inside[mm] = 0
    at[VMA_USEFUL] = at[USEFUL]
    if vma + 1 == mms.vma_at[mm + 1]:
        mms.cursor[mm] = 0
        return True
    if at[PAGES_LEFT] > 0 and goes_on(at, span, rules, found):
        return False
    mms.cursor[mm] = at[VMA]
    return True


@loop
def goes_on(at, span, rules, found):  # type: ignore[no-untyped-def]
    """Whether the next VMA is walked too; found: useful folios of the one just walked."""
    if span[0] < at[BUDGET_MIB]:
        return True
    if rules.budget == UNTIL_USEFUL:
        return found == 0
    largest = rules.scan_size_max_mib
    raised = rules.budget == RAISED and at[USEFUL] > rules.ignore_threshold
    if raised and at[BUDGET_MIB] < largest:
        at[BUDGET_MIB] = largest
    return span[0] < at[BUDGET_MIB]


@loop
def end_visit(mms, at, rules, clock, log):  # type: ignore[no-untyped-def]
    """Adapt and set the next due time; returns 1 if `log` was written, since something changed."""
    mm = at[MM]
    useful = at[USEFUL] + (mms.useful[mm] >> rules.decay_shift)
    useful = useful if useful >= rules.ignore_threshold else np.int64(0)
    old_period, old_size = mms.period_ms[mm], mms.size_mib[mm]
    base, size = adapt(rules, mms.base_ms[mm], old_size, mms.useful[mm], useful)
    period = stretched(rules, base, mms.scale[mm], mms.fail_pct[mm])
    mms.period_ms[mm] = period
    mms.base_ms[mm] = period if rules.compounds else base
    mms.size_mib[mm] = size
    mms.useful[mm] = useful
    mms.found[mm] = at[USEFUL]
    mms.nr_visits[mm] += 1
    mms.nr_scanned[mm] += at[SCANNED]
    mms.last_end[mm] = clock
    mms.longest_ns[mm] = max(mms.longest_ns[mm], clock - at[BEGUN])
    mms.next_scan[mm] = clock + period * NS_PER_MS
    at[MM] = -1
    if period == old_period and size == old_size:
        return 0
    log[0], log[1], log[2] = clock, mm, mms.found[mm]
    log[3], log[4], log[5], log[6] = old_period, period, old_size, size
    return 1
