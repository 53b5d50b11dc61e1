"""The lazy touch clock: was this folio touched since it was last looked at? (docs/model.md#touches)

Nothing is drawn until somebody looks. With x = expected touches since the last look,
P(touched) = 1 - exp(-x), exact for Poisson touches; x is counted in the process's own work time,
so a change of its speed needs no extra work.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import GRANULE
from tiering.engine.jit import loop
from tiering.engine.poisson import at_least
from tiering.engine.sweep import Sweeps
from tiering.engine.vectors import AVAILABLE, ENABLED

BLOCK = 2048  # folios drawn at a time: the scratch stays in the L1 cache
MAX_ROWS = 256  # classes a granule can tell apart


class Rates(NamedTuple):
    """Expected touches per access of the owner. Shapes: M mms, R rows, S = sum over mms of K * R.

    share: f64[S], touches of one folio per access, phase-major in each mm. cum: f64[S], touches of
    one folio from the begin of the lap to the begin of the phase. lap_touches: f64[R] over a whole
    lap. share_at: i64[M] first element of the mm in share and cum. row_at, nr_rows: i64[M] rows of
    the mm. phase_at, nr_phases: i64[M] its borders in `border`: f64, accesses at the begin of each
    phase. lap: f64[M] accesses a lap, infinite for static patterns. sweeps: regions whose touch
    times are known; their share is the mean over a lap, for the closed loop.
    """

    share: NDArray[np.float64]
    cum: NDArray[np.float64]
    lap_touches: NDArray[np.float64]
    share_at: NDArray[np.int64]
    row_at: NDArray[np.int64]
    nr_rows: NDArray[np.int64]
    phase_at: NDArray[np.int64]
    nr_phases: NDArray[np.int64]
    border: NDArray[np.float64]
    lap: NDArray[np.float64]
    sweeps: Sweeps


class Scratch(NamedTuple):
    """Working arrays of one engine, reused by every pass; contents mean nothing between passes.

    Most are as wide as a folio: loops over arrays of one width vectorise best.
    """

    threshold: NDArray[np.uint32]  # u32[MAX_ROWS], P(touched) * 2**32 by class
    high: NDArray[np.uint16]  # u16[MAX_ROWS], its upper half
    lanes: NDArray[np.uint64]  # u64[BLOCK / 4], four random 16-bit lanes each
    limit: NDArray[np.uint32]  # u32[BLOCK]
    ties: NDArray[np.uint32]  # u32[BLOCK / 32], a bit a folio
    touched: NDArray[np.uint32]  # u32[BLOCK], result of `draw_block`
    hit: NDArray[np.uint8]  # u8[BLOCK]
    found: NDArray[np.uint32]  # u32[GRANULE and a step], result of `expand`
    chosen: NDArray[np.uint32]  # u32[GRANULE], folios that are to move, result of `pick`
    places: NDArray[np.int32]  # i32[4096], folios by node and class; 0 between passes
    lists: NDArray[np.int32]  # i32[64], folios by node and list; 0 between passes
    vector: bool  # whether to take the vector code of engine/vectors.py


def scratch(vector: bool = ENABLED) -> Scratch:
    """Fresh scratch arrays. vector=False asks for portable code; without AVX-512 that is all."""
    return Scratch(
        np.zeros(MAX_ROWS, np.uint32),
        np.zeros(MAX_ROWS, np.uint16),
        np.zeros(BLOCK // 4, np.uint64),
        np.zeros(BLOCK, np.uint32),
        np.zeros(BLOCK // 32, np.uint32),
        np.zeros(BLOCK, np.uint32),
        np.zeros(BLOCK, np.uint8),
        np.zeros(GRANULE + BLOCK, np.uint32),
        np.zeros(GRANULE, np.uint32),
        np.zeros(4096, np.int32),
        np.zeros(64, np.int32),
        vector and AVAILABLE,
    )


@loop
def phase_of(rates, mm, tau):  # type: ignore[no-untyped-def]
    """(laps done, phase, accesses into the phase) of process `mm` at work time tau."""
    nr = rates.nr_phases[mm]
    laps = 0.0
    if nr > 1 and rates.lap[mm] < np.inf:
        laps = np.floor(tau / rates.lap[mm])
        if laps > 0.0:  # never where the last phase is endless
            tau = tau - laps * rates.lap[mm]
    first = rates.phase_at[mm]
    lo, hi = 0, nr - 1
    while lo < hi:
        mid = (lo + hi + 1) // 2
        if rates.border[first + mid] <= tau:
            lo = mid
        else:
            hi = mid - 1
    return laps, lo, tau - rates.border[first + lo]


@loop
def phases_of(rates, tau, phase):  # type: ignore[no-untyped-def]
    """Write the phase that each process is in at f64[P] work times; True if one of them is new.

    phase: i64[P] as written before.
    """
    new = False
    for mm in range(tau.size):
        _, now, _ = phase_of(rates, mm, tau[mm])
        new |= now != phase[mm]
        phase[mm] = now
    return new


@loop
def touch_probability(expected):  # type: ignore[no-untyped-def]
    """1 - exp(-expected) for expected >= 0, relative error below 1e-12, without libm.

    Taylor series of expm1 at -x/1024, then ten times expm1(2y) = e(2 + e): IEEE basic operations
    only, so the bits are the same on any CPU.
    """
    y = min(expected, 40.0) * (-1.0 / 1024.0)
    e = 1.0 + y * (1.0 / 6.0) * (1.0 + y * (1.0 / 7.0))
    e = 1.0 + y * (1.0 / 3.0) * (1.0 + y * (1.0 / 4.0) * (1.0 + y * (1.0 / 5.0) * e))
    e = y * (1.0 + y * 0.5 * e)
    for _ in range(10):
        e = e * (2.0 + e)
    return -e


@loop(inline=True)
def touches(rates, row, at, nr_rows, begin, end):  # type: ignore[no-untyped-def]
    """Touches that a folio of `row` expects between two results of `phase_of`.

    at: of the row's first phase in rates.share; nr_rows: of its mm.
    """
    laps0, k0, into0 = begin
    laps1, k1, into1 = end
    s0 = at + k0 * nr_rows
    if laps0 == laps1 and k0 == k1:
        return rates.share[s0] * (into1 - into0)
    s1 = at + k1 * nr_rows
    x = (laps1 - laps0) * rates.lap_touches[row]
    x += rates.cum[s1] - rates.cum[s0]
    return x + (rates.share[s1] * into1 - rates.share[s0] * into0)


@loop(inline=True)
def set_threshold(scratch, c, p):  # type: ignore[no-untyped-def]
    """Folios of class c are touched with probability p, to 2**-32."""
    t = np.uint32(min(p * 4294967296.0, 4294967295.0))
    scratch.threshold[c] = t
    scratch.high[c] = t >> np.uint32(16)


@loop
def set_thresholds(rates, scratch, mm, row0, rows, tau0, tau1, least=1):  # type: ignore[no-untyped-def]
    """Fill scratch.threshold and .high for rows [row0, row0 + rows) and the window (tau0, tau1].

    least: how many touches a folio must have had to count.
    """
    local = row0 - rates.row_at[mm]
    nr_rows = rates.nr_rows[mm]
    at = rates.share_at[mm] + local
    begin = phase_of(rates, mm, tau0)
    end = phase_of(rates, mm, tau1)
    for c in range(rows):
        x = max(touches(rates, row0 + c, at + c, nr_rows, begin, end), 0.0)
        p = touch_probability(x) if least == 1 else at_least(x, least)
        set_threshold(scratch, c, p)


@loop
def next_border(rates, tau, speed, work):  # type: ignore[no-untyped-def]
    """ns until the first process ends its work or enters its next phase; infinite if none does.

    tau, work: f64[P] accesses; speed: f64[P] accesses per ns, 0 for processes at rest.
    """
    nearest = np.inf
    for p in range(tau.size):
        if speed[p] <= 0.0:
            continue
        left = work[p] - tau[p]
        if rates.nr_phases[p] > 1:
            _, phase, into = phase_of(rates, p, tau[p])
            at = rates.phase_at[p] + phase
            end = rates.border[at + 1] if phase + 1 < rates.nr_phases[p] else rates.lap[p]
            left = min(left, end - rates.border[at] - into)
        nearest = min(nearest, left / speed[p])
    return nearest


@loop
def row_rates(rates, tau, speed, out):  # type: ignore[no-untyped-def]
    """out: f64[R] touches per ns of one folio of each row, from f64[P] tau and speed.

    True if it changed.
    """
    changed = False
    for p in range(tau.size):
        _, phase, _ = phase_of(rates, p, tau[p])
        at = rates.share_at[p] + phase * rates.nr_rows[p]
        for r in range(rates.nr_rows[p]):
            rate = rates.share[at + r] * speed[p]
            changed |= rate != out[rates.row_at[p] + r]
            out[rates.row_at[p] + r] = rate
    return changed
