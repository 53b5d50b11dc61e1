"""Moving folios from a queue, paid by somebody's clock (docs/model.md#migration).

    t(batch of n folios of size s) = a + n (b + s / c)

a: per-batch cost with its TLB shootdown, b: per-folio cost, c: copy rate of one CPU, or what the
bandwidth of the two nodes leaves if that is less.
"""

import numpy as np

from tiering.engine.books import (
    CAPPED,
    COLD,
    IS_PINNED,
    IS_SHARED,
    LIMITED,
    MOVED,
    NO_ROOM,
    OVER_SHARE,
    REFUSED,
    STALE,
    WINDOW_NS,
)
from tiering.engine.chunks import END, FIRST, GRANULE_OF, STAMP, consume, expand
from tiering.engine.failures import drained, tally
from tiering.engine.folios import (
    FAULTED,
    FOLIO_BYTES,
    GRANULE,
    HINT,
    NID_MASK,
    NID_SHIFT,
    PINNED,
    READ_AGAIN,
    READ_HOT,
    SHARED,
    SLOW,
    TIMED,
    UNTOUCHED,
)
from tiering.engine.jit import loop
from tiering.engine.look import latch, tau_at
from tiering.engine.shares import (
    MOVED_NOW,
    REFUSED_SO_FAR,
    class_of,
    exceeds_part,
    may_rise,
)
from tiering.engine.shift import shift
from tiering.engine.still_hot import is_still_hot

STAMP_NS = 100_000_000
"""Unit of `Memory.stamp`."""
STAMPS = 65_535
"""Stamps there are, 1 and up, so that they begin anew after 6,553.5 s; 0 is none."""


@loop
def drain(memory, rates, scratch, queue, clock, until, pace, terms, books):  # type: ignore[no-untyped-def]
    """Promote waiting folios until the clock passes `until`; returns the clock.

    Stops as well at candidates that have not arrived yet, and after a batch for which kswapd wakes.
    pace: see engine/flow.py; a granule is looked at before the first of its folios that finds room,
    since migration reads the PTEs. What stays costs b and no copy. A batch ends with its granule.
    """
    at = queue.at
    while at[FIRST] < at[END] and clock < until:
        if _wakes(terms, books, memory.free[terms.dst]):
            break
        granule = queue.head[at[FIRST], GRANULE_OF]
        stamp = queue.head[at[FIRST], STAMP]
        if stamp > clock or books.target[memory.mm[granule]] != terms.dst:
            break
        room = min(memory.free[terms.dst] - terms.reserve, may_rise(memory, granule, books.shares))
        if room >= memory.pages[memory.row0[granule]]:
            latch(memory, rates, scratch, granule, tau_at(memory, pace, granule, clock))
        nr = expand(queue, granule, _most(memory, granule, clock, until, terms), scratch.found)
        done, moved, clock = _choose(
            memory, scratch, nr, granule, stamp, clock, until, terms, books
        )
        consume(queue, granule, scratch.found, done)
        books.tried[memory.mm[granule]] += done
        if moved > 0:
            _promote(memory, scratch, granule, moved, terms, books)
        if at[FIRST] == at[END]:
            drained(books.tally[memory.mm[granule]])
    return clock


@loop
def _wakes(terms, books, free):  # type: ignore[no-untyped-def]
    """Whether kswapd has to wake: so little is free, or a candidate found no room."""
    return terms.wake >= 0 and (free < terms.wake or books.refused[terms.dst])


@loop
def _most(memory, granule, clock, until, terms):  # type: ignore[no-untyped-def]
    """Candidates of the granule, whole batches, after which room or time is surely over."""
    pages = memory.pages[memory.row0[granule]]
    most = np.int64(GRANULE)
    if terms.wake >= 0:
        room = memory.free[terms.dst] - max(terms.reserve, terms.wake)
        most = max(room, np.int64(0)) // pages
    each = terms.batch_ns / terms.batch_nr + terms.folio_ns
    if each * most > until - clock:
        most = np.int64((until - clock) / each)
    return (most // terms.batch_nr + 1) * terms.batch_nr


@loop
def _choose(memory, scratch, nr, granule, stamp, clock, until, terms, books):  # type: ignore[no-untyped-def]
    """Decide the candidates scratch.found[:nr] in turn, until the clock passes `until`.

    Those that move are in scratch.chosen. Returns (decided, chosen, clock).
    """
    pages, mm = memory.pages[memory.row0[granule]], memory.mm[granule]
    copy_ns = pages * FOLIO_BYTES / terms.bytes_per_ns
    room = memory.free[terms.dst] - terms.reserve
    own, rising = class_of(memory, granule), may_rise(memory, granule, books.shares)
    done, chosen = np.int64(0), np.int64(0)
    while done < nr and clock < until:
        if _wakes(terms, books, room + terms.reserve):
            break
        left = scratch.found[done:nr]
        whole = _that_move(memory, left, until - clock, room, rising, pages, copy_ns, terms)
        if whole > 0:
            clock = _move_on(memory, left[:whole], stamp, clock, copy_ns, terms, books)
            tally(books.tally[mm], books.fail_pct, mm, whole, np.int64(0))
            for i in range(whole):
                scratch.chosen[chosen + i] = left[i]
            chosen += whole
            done += whole
            room -= whole * pages
            rising -= whole * pages
            continue
        stop = min(done + terms.batch_nr, nr)
        before = chosen
        for i in range(done, stop):
            index = scratch.found[i]
            fate = _fate(
                memory.folio[index], memory.entry, pages, room, rising, own, clock, terms, books
            )
            books.outcome[fate] += 1
            if fate == MOVED:
                scratch.chosen[chosen] = index
                chosen += 1
                room -= pages
                rising -= pages
                if memory.stamp.size > 0:
                    memory.stamp[index] = stamp_of(clock)
            elif fate == NO_ROOM:
                books.refused[terms.dst] = True
            elif fate >= REFUSED:
                books.shares.of[own, REFUSED_SO_FAR] += 1
        tally(books.tally[mm], books.fail_pct, mm, chosen - before, stop - done - chosen + before)
        books.age[0] += (clock - stamp) * (stop - done)
        books.age[1] = max(books.age[1], clock - stamp)
        clock += _batch_ns(stop - done, chosen - before, copy_ns, terms)
        done = stop
    return done, chosen, clock


@loop
def _batch_ns(nr, moved, copy_ns, terms):  # type: ignore[no-untyped-def]
    """What a batch of `nr` candidates costs of which `moved` are copied, in whole ns."""
    return np.int64(terms.batch_ns + nr * terms.folio_ns + moved * copy_ns + 0.5)


@loop
def _that_move(memory, found, time, room, rising, pages, copy_ns, terms):  # type: ignore[no-untyped-def]
    """How many folios at the begin of `found` move in whole batches that begin within `time` ns and
    before kswapd wakes. room: pages; rising: those that its class may have."""
    if terms.limit > 0 or rising < pages:
        return np.int64(0)
    each = _batch_ns(terms.batch_nr, terms.batch_nr, copy_ns, terms)
    batches = min(min(room, rising) // pages, found.size) // terms.batch_nr
    if each > 0:
        batches = min(batches, -(-time // each))
    if terms.wake >= 0:
        above = room + terms.reserve - terms.wake
        batches = min(batches, above // (terms.batch_nr * pages) + 1)
    stays = np.uint32(SLOW | PINNED | (SHARED if terms.refuse_shared else 0))
    nr = np.int64(0)
    while nr < batches * terms.batch_nr:
        value = memory.folio[found[nr]]
        if value & stays != np.uint32(SLOW) or not is_still_hot(value, memory.entry, terms.asked):
            break
        nr += 1
    return nr - nr % terms.batch_nr


@loop
def _move_on(memory, moving, stamp, clock, copy_ns, terms, books):  # type: ignore[no-untyped-def]
    """Account whole batches of folios that all move; returns the clock."""
    nr, each = moving.size, _batch_ns(terms.batch_nr, terms.batch_nr, copy_ns, terms)
    books.outcome[MOVED] += nr
    done = np.int64(0)
    while done < nr:
        batches = (nr - done) // terms.batch_nr
        if memory.stamp.size > 0:
            if each > 0:  # those that move before the next stamp
                batches = min(batches, -(-(STAMP_NS - clock % STAMP_NS) // each))
            now = stamp_of(clock)
            for index in moving[done : done + batches * terms.batch_nr]:
                memory.stamp[index] = now
        waited = clock - stamp
        sum_ns = batches * waited + each * (batches * (batches - 1) // 2)
        books.age[0] += sum_ns * terms.batch_nr
        books.age[1] = max(books.age[1], waited + (batches - 1) * each)
        clock += batches * each
        done += batches * terms.batch_nr
    return clock


@loop
def stamp_of(clock):  # type: ignore[no-untyped-def]
    """What `Memory.stamp` says of a folio promoted at `clock` ns."""
    return np.uint16(clock // STAMP_NS % STAMPS + 1)


@loop(inline=True)
def stamp_age(stamp, now):  # type: ignore[no-untyped-def]
    """Units of STAMP_NS from a stamp that is not 0 until the stamp of an instant."""
    age = np.int64(now) - np.int64(stamp)
    return age + STAMPS if age < 0 else age


@loop
def _fate(value, entry, pages, room, rising, own, clock, terms, books):  # type: ignore[no-untyped-def]
    """What becomes of a candidate; a folio that may move is counted in the accounting period.

    rising: pages that its class, own, may have.
    """
    if value & np.uint32(SLOW) == 0:
        return STALE
    if rising < 0:
        return REFUSED
    if not is_still_hot(value, entry, terms.asked):
        return COLD
    if value & np.uint32(PINNED | SHARED):
        if value & np.uint32(PINNED):
            return IS_PINNED
        if terms.refuse_shared:
            return IS_SHARED
    if rising < pages:
        return CAPPED
    if room < pages:
        return NO_ROOM
    return _within_limit(pages, own, clock, terms.limit, books) if terms.limit > 0 else MOVED


@loop
def _within_limit(pages, own, clock, limit, books):  # type: ignore[no-untyped-def]
    """Count a folio in the accounting period, unless it or its class has moved its pages."""
    window = books.window
    if clock - window[0] >= WINDOW_NS:
        window[0] = clock - clock % WINDOW_NS
        window[1] = 0
        books.shares.of[:, MOVED_NOW] = 0
    if window[1] + pages > limit:
        return LIMITED
    if exceeds_part(books.shares, own, pages, limit):
        return OVER_SHARE
    window[1] += pages
    return MOVED


@loop
def _promote(memory, scratch, granule, nr, terms, books):  # type: ignore[no-untyped-def]
    """Move scratch.chosen[:nr] of a granule up, and account it. No mark survives the move."""
    for i in range(nr):
        value = memory.folio[scratch.chosen[i]]
        nid = (value & np.uint32(NID_MASK)) >> np.uint32(NID_SHIFT)
        books.from_nid[nid] += memory.pages[memory.row0[granule]]
        memory.hinted[granule] -= np.int32(value & np.uint32(HINT) != 0)
    pages = shift(
        memory, scratch, granule, scratch.chosen, nr, np.int64(terms.dst), 0,
        np.uint32(UNTOUCHED), np.uint32(HINT | FAULTED | READ_HOT | READ_AGAIN | TIMED),
    )  # fmt: skip
    books.to_nid[terms.dst] += nr * pages
    books.pages[0] += nr * pages
    books.copied[memory.mm[granule]] += nr * pages
    books.moved[memory.mm[granule]] += nr * pages
    books.dirty[memory.mm[granule]] = True
