"""Marking of PTEs by the tasks themselves, compiled (docs/model.md#hint-faults).

A visit goes on through the address space from where the last one ended, chunk by chunk. A chunk is
as long as the page budget; one in which something was marked counts against it, and every one
against the budget of span, eight times as large. Mirrors task_numa_work, task_scan_min and
task_scan_max, and update_task_scan_period as memory tiering sees it.
"""

import numpy as np

from tiering.engine.folios import GRANULE, HINT, NID_MASK, NID_SHIFT, SHARED, SLOW
from tiering.engine.jit import loop
from tiering.sources.hint_state import (
    BEGUN,
    CHUNK,
    CHUNK_END,
    LOCAL,
    MM,
    NEVER,
    NS_PER_MS,
    PAGE,
    PAGES,
    PRIVATE,
    REMOTE,
    SHARED_FAULTS,
    SPAN,
    TASK,
    UPDATED,
    UPDATES,
    VMA,
)
from tiering.sources.hint_touch import fault_granule

HUGE = 512  # pages to which the end of a chunk is rounded up
SPAN_FACTOR = 8
MOST_MIB_S = 2560  # MAX_SCAN_WINDOW
SLOTS, ENOUGH = 10, 7
PUSH = 32
"""A task runs at least this many times as long as it marked before it marks again."""
_LEFT_ALONE = np.uint32(HINT | SHARED | SLOW)


@loop
def period_bounds(min_ms, max_ms, scan_mib, rss_pages):  # type: ignore[no-untyped-def]
    """(shortest, longest) period of a task, ms: task_scan_min and task_scan_max."""
    windows = max(-(-rss_pages // (scan_mib * 256)), 1)
    floor = 1000 // max(MOST_MIB_S // scan_mib, 1)
    least = max(floor, min_ms // windows)
    return least, max(least, max_ms // windows)


@loop
def adapted(period_ms, least, most, counted):  # type: ignore[no-untyped-def]
    """Period after a full pass, ms. counted: i64[4] pages by the faults that count since the pass
    before; taken. Without a local or a shared one it doubles, and what was not local stays counted.
    """
    remote, local = counted[REMOTE], counted[LOCAL]
    shared, private = counted[SHARED_FAULTS], counted[PRIVATE]
    counted[SHARED_FAULTS] = counted[PRIVATE] = 0
    if shared + private == 0:
        return period_ms
    if local + shared == 0:
        return min(2 * period_ms, most)
    counted[REMOTE] = counted[LOCAL] = 0
    slot = -(-period_ms // SLOTS)
    at_home = local * SLOTS // max(local + remote, 1)
    own = private * SLOTS // (private + shared)
    if own >= ENOUGH:
        steps = max(own - ENOUGH, 1)
    elif at_home >= ENOUGH:
        steps = max(at_home - ENOUGH, 1)
    else:
        steps = max(at_home, own) - ENOUGH
    return max(least, min(period_ms + steps * slot, most))


@loop
def due_of(one, mm):  # type: ignore[no-untyped-def]
    """(when the mm is visited next, the task that does it): the first that may, once it is due."""
    chosen = one.task_at[mm]
    for task in range(one.task_at[mm], one.task_at[mm + 1]):
        if one.stamp[task] < one.stamp[chosen]:
            chosen = task
    return max(one.next_scan[mm], one.stamp[chosen]), chosen


@loop
def next_due(one):  # type: ignore[no-untyped-def]
    """(when, mm) of the next visit; (NEVER, -1) if none is to come."""
    soonest, mm = np.int64(NEVER), -1
    for m in range(one.next_scan.size):
        if one.next_scan[m] < soonest:
            due, _ = due_of(one, m)
            if due < soonest:
                soonest, mm = due, m
    return soonest, mm


@loop
def begin_visit(one, rules, mm, clock):  # type: ignore[no-untyped-def]
    """The task whose turn it is begins to mark; the next visit is due a period from now."""
    at = one.at
    _, task = due_of(one, mm)
    at[MM], at[BEGUN], at[TASK] = mm, clock, task
    at[PAGES], at[SPAN] = rules.scan_pages, SPAN_FACTOR * rules.scan_pages
    at[VMA], at[PAGE] = one.vma[mm], one.page[mm]
    at[CHUNK] = at[CHUNK_END] = at[PAGE]
    at[UPDATED] = 0
    one.spent[mm] = 0.0
    one.next_scan[mm] = clock + one.period_ms[mm] * NS_PER_MS
    one.nr_visits[mm] += 1
    if one.vma[mm] == 0 and one.page[mm] == 0:
        one.pass_start[mm] = clock


@loop
def visit(memory, rates, scratch, one, rules, pace, found, n, nr_runs, row):  # type: ignore[no-untyped-def]
    """Mark on until the visit ends or `found` is full: (n, runs, passes ended, ns of faults).

    All of it happens when the visit began. row: i64[3], what a pass that ends is (Source.passes).
    """
    at = one.at
    mm, clock, fault_ns = at[MM], at[BEGUN], 0.0
    while at[MM] >= 0 and has_room(found, n, nr_runs):
        vma = one.vma_at[mm] + at[VMA]
        if vma == one.vma_at[mm + 1]:
            _end_pass(memory, rates, one, rules, mm, clock)
            row[0], row[1], row[2] = mm, one.full_scan_ns[mm], n
            end_visit(one, mm)
            return n, nr_runs, 1, fault_ns
        if at[PAGE] >= at[CHUNK_END]:
            pages = _vma_pages(memory, one.vma_first[vma], one.vma_end[vma])
            if at[PAGE] >= pages:
                at[VMA] += 1
                at[PAGE] = at[CHUNK] = at[CHUNK_END] = 0
                continue
            at[CHUNK] = at[PAGE]
            at[CHUNK_END] = min(-(-(at[PAGE] + at[PAGES]) // HUGE) * HUGE, pages)
            at[UPDATED] = 0
        granule = one.vma_first[vma] + at[PAGE] // GRANULE
        inside = at[PAGE] % GRANULE
        end = min(GRANULE, inside + at[CHUNK_END] - at[PAGE])
        n, nr_runs, cost = mark_granule(
            memory, rates, scratch, one, rules, granule, inside, end, pace, found, n, nr_runs
        )
        fault_ns += cost
        at[PAGE] += end - inside
        if at[PAGE] == at[CHUNK_END]:
            span = at[CHUNK_END] - at[CHUNK]
            at[PAGES] -= span if at[UPDATED] > 0 else 0
            at[SPAN] -= span
            if at[PAGES] <= 0 or at[SPAN] <= 0:
                end_visit(one, mm)
    return n, nr_runs, 0, fault_ns


@loop
def mark_granule(memory, rates, scratch, one, rules, granule, first, end, pace, found, n, nr_runs):  # type: ignore[no-untyped-def]
    """Mark the folios in pages [first, end) of a granule, after the faults up to now.

    Returns (n, runs, ns of these faults).
    """
    at = one.at
    clock, mm = at[BEGUN], at[MM]
    pages = memory.pages[memory.row0[granule]]
    entries = 1 if pages == HUGE else pages  # a PMD maps all of it
    cost = 0.0
    if memory.nr_slow[granule] > 0 or memory.hinted[granule] > 0 or rules.tops:
        n, nr_runs, cost = fault_granule(
            memory, rates, scratch, one, rules, granule, clock, pace, found, n, nr_runs
        )
    start, now_ms = granule * GRANULE, np.uint32(clock // NS_PER_MS)
    marked = np.int64(0)
    if memory.nr_slow[granule] > 0 or rules.tops:
        home = np.uint32(one.home[mm] << NID_SHIFT)
        alone = one.threads[mm] == 1
        for index in range(start + first // pages, start + end // pages):
            value = memory.folio[index]
            left_alone = value & _LEFT_ALONE != np.uint32(SLOW)
            if rules.tops and left_alone:
                left_alone = value & np.uint32(HINT | SHARED) != 0
                left_alone |= alone and value & np.uint32(NID_MASK) == home
            if not left_alone:
                memory.folio[index] |= np.uint32(HINT)
                one.marked_ms[index] = now_ms
                marked += 1
    memory.hinted[granule] += marked
    if marked > 0:
        one.marked_ns[granule] = clock
        one.look_ns[granule] = 0  # with the next look
    at[UPDATED] += marked * pages
    at[UPDATES] += marked * pages
    passed = (end - first) // pages - marked
    one.spent[mm] += entries * (marked * rules.update_ns + passed * rules.skip_ns)
    one.nr_scanned[mm] += end - first
    return n, nr_runs, cost


@loop
def end_visit(one, mm):  # type: ignore[no-untyped-def]
    """The task pays, and has to wait 32 times as long as it took beyond its period."""
    at = one.at
    pushed = PUSH * np.int64(one.spent[mm] + 0.5)
    one.stamp[at[TASK]] = at[BEGUN] + one.period_ms[mm] * NS_PER_MS + pushed
    one.charge[mm] += one.spent[mm]
    one.vma[mm], one.page[mm] = at[VMA], at[PAGE]
    at[MM] = -1


@loop
def _end_pass(memory, rates, one, rules, mm, clock):  # type: ignore[no-untyped-def]
    """The end of the address space: the next visit begins at its begin, with another period."""
    one.full_scan_ns[mm] = clock - one.pass_start[mm]
    rss = np.int64(0)
    for row in range(rates.row_at[mm], rates.row_at[mm] + rates.nr_rows[mm]):
        for nid in range(memory.free.size):
            rss += memory.resident[row, nid] * memory.pages[row]
    least, most = period_bounds(rules.min_ms, rules.max_ms, rules.scan_mib, rss)
    rose = one.moved[mm] - one.rose[mm]
    one.counted[mm, REMOTE] += rose
    own = rose if rules.tiering else rose // one.threads[mm]
    one.counted[mm, PRIVATE] += own
    one.counted[mm, SHARED_FAULTS] += rose - own
    one.period_ms[mm] = adapted(one.period_ms[mm], least, most, one.counted[mm])
    one.rose[mm] = one.moved[mm]
    one.at[VMA] = one.at[PAGE] = 0


@loop
def _vma_pages(memory, first, end):  # type: ignore[no-untyped-def]
    """Pages of a VMA up to its present end; what is populated is its begin."""
    folios = np.int64(0)
    for granule in range(first, end):
        folios += memory.nr[granule]
    return folios * memory.pages[memory.row0[first]]


@loop
def has_room(found, n, nr_runs):  # type: ignore[no-untyped-def]
    """Whether the reports of one more granule fit."""
    return n + GRANULE <= found.folios.size and nr_runs < found.ends.size
