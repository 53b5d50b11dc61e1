"""The PTE callback of kmmscand and kscand, a granule at a time (docs/model.md#pte-scan).

For a folio on the slow tier: the accessed bit is cleared; if it was set, idle is cleared and young
is set. The folio is useful if it is not idle or is young; afterwards idle is set. So the first walk
reports every slow folio, touched or not, and a folio touched once stays useful until reclaim clears
young. Top-tier folios are passed over before their accessed bit is read: what was drawn stays
latched. Mirrors the PTE entry callback of kmmscand (RFC V0); `referenced` and the notifier's young
bit are not modelled: nothing in the model sets them.
"""

import numpy as np

from tiering.engine.collect import collect
from tiering.engine.folios import ACCESSED, GRANULE, IDLE, SLOW, UNTOUCHED, YOUNG, flagged, has
from tiering.engine.jit import loop
from tiering.engine.look import begin, tau_at, touched_block
from tiering.engine.reports import has_room
from tiering.engine.touch import BLOCK
from tiering.sources.pte_target import count_granule

AS_INTENDED, AS_POSTED, TWO_WINDOWS = range(3)
"""Which folios are useful: `_update` and `_update_two_windows`."""


@loop
def walk_granule(memory, rates, scratch, granule, tau, out, n, test=AS_POSTED, skip=0):  # type: ignore[no-untyped-def]
    """Look at every folio of a granule at work time tau; useful folios go to out[n:].

    Returns the new n. `out` (u32) must have room for a whole granule. test, skip: see `_update`.
    """
    nr = memory.nr[granule]
    key, before = begin(memory, rates, scratch, granule, tau)
    start = granule * GRANULE
    for base in range(0, nr, BLOCK):
        first = start + base
        part = memory.folio[first : first + min(BLOCK, nr - base)]
        touched_block(memory, rates, scratch, granule, base, part, key, before, tau)
        hit = scratch.hit[: part.size]
        if test == TWO_WINDOWS:
            _update_two_windows(part, scratch.touched, hit, skip)
        else:
            _update(part, scratch.touched, hit, test, skip)
        n = collect(hit, first, out, n, scratch.vector)
    return n


@loop
def _update(part, touched, hit, test, skip):  # type: ignore[no-untyped-def]
    """Flags of the folios in `part` after their PTEs were walked; hit[i] = 1 if useful.

    test: AS_POSTED, or AS_INTENDED for the accessed bit of this visit alone. skip: SHARED to pass
    over shared folios, or 0. Without branches, so that the compiler makes vector code of it.
    """
    posted, where = np.uint32(test), np.uint32(SLOW | skip)
    for i in range(part.size):
        seen = has(touched[i], 1)
        folio = flagged(part[i], ACCESSED, UNTOUCHED) if seen else part[i]
        young = has(folio, ACCESSED | YOUNG)
        walked = flagged(folio, IDLE | YOUNG, ACCESSED) if young else flagged(folio, IDLE, ACCESSED)
        slow = np.uint32(folio & where) == np.uint32(SLOW)
        sticky = np.uint32(young | (not has(folio, IDLE))) & posted
        hit[i] = np.uint32(slow) & (np.uint32(has(folio, ACCESSED)) | sticky)
        part[i] = walked if slow else folio


@loop
def _update_two_windows(part, touched, hit, skip):  # type: ignore[no-untyped-def]
    """As `_update`, of kscand V3: useful is what was accessed in this window and the one before.

    Idle is set before the accessed bit is tested, so it says afterwards whether this window had no
    access; a folio that was never walked is not idle, and one window is enough.
    """
    where = np.uint32(SLOW | skip)
    for i in range(part.size):
        seen = has(touched[i], 1)
        folio = flagged(part[i], ACCESSED, UNTOUCHED) if seen else part[i]
        accessed = has(folio, ACCESSED)
        walked = flagged(folio, YOUNG, ACCESSED | IDLE) if accessed else flagged(folio, IDLE, 0)
        slow = np.uint32(folio & where) == np.uint32(SLOW)
        hit[i] = np.uint32(slow) & np.uint32(accessed) & np.uint32(not has(folio, IDLE))
        part[i] = walked if slow else folio


@loop
def walk(memory, rates, scratch, granule, end, clock, until, pace, rules, most, seen, out, n, runs):  # type: ignore[no-untyped-def]
    """Walk granules [granule, end) of one VMA until the clock passes `until` or `out` is full.

    Ends as well with the granule with which `most` pages were scanned.

    clock, until: ns of the thread's own clock. pace: see engine/flow.py. rules: see pte_state.py (a
    large folio costs as many PTEs as it has pages, since the walk splits its mapping). seen: i64[N]
    pages of top-tier nodes so far, empty where nobody asks (pte_target.py). Each granule is read at
    its own time. Useful folios are added to out.folios[n:], and where those of each granule end
    to out.ends[runs:]. Returns (granule, clock, n, runs, PTEs scanned).
    """
    scanned = np.int64(0)
    while granule < end and clock < until and scanned < most and has_room(out, n, runs):
        nr = np.int64(memory.nr[granule])
        nr_slow = np.int64(memory.nr_slow[granule])
        if nr_slow > 0:  # a granule wholly on the top tier is passed over: nobody reads a bit
            tau = tau_at(memory, pace, granule, clock)
            before = n
            n = walk_granule(
                memory, rates, scratch, granule, tau, out.folios, n, rules.test, rules.skip
            )
            if n > before:
                out.ends[runs] = n
                runs += 1
        if seen.size > 0:
            tau = tau_at(memory, pace, granule, clock)
            count_granule(memory, rates, scratch, granule, tau, rules, seen)
        pages = memory.pages[memory.row0[granule]]
        cost = nr_slow * rules.pte_slow_ns + (nr - nr_slow) * rules.pte_top_ns
        clock += np.int64(pages * cost + 0.5)
        scanned += pages * nr
        granule += 1
    return granule, clock, n, runs, scanned
